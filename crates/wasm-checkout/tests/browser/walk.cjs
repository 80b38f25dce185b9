'use strict';
// The built widget in Chromium, against a stand that follows docs/reference/checkout-api.md: every kind of step, double
// click, back, refresh, the keyboard, right to left, and axe in each state. Run `cargo xtask wasm` first, then
// `npm ci && node walk.cjs` here; CHROMIUM says where the browser is, if not at /usr/bin/chromium.
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { chromium } = require('playwright-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const dist = path.join(__dirname, '../../../server/dist/');
let failed = 0;
let order,pays;const listeners=new Set();
const fresh=()=>{pays=0;order={object:'checkout_order',id:'ord_1',livemode:false,version:1,status:'pending',amount:1234,currency:'CNY',subject:'Tea',merchant:{name:'My shop'},methods:[{method:'alipay.qr',form:'none'},{method:'testpay.page',form:'none'},{method:'testpay.card',form:'none'}],attempt:null,next_action:null,decline:null,return_url:null,expires_at:new Date(Date.now()+9e5).toISOString(),server_time:new Date().toISOString()};};
const change=(c)=>{Object.assign(order,c,{version:order.version+1,server_time:new Date().toISOString()});for(const l of listeners)l.write(`id: ${order.version}\nevent: order\ndata: ${JSON.stringify(order)}\n\n`);};
const types={js:'text/javascript',wasm:'application/wasm',json:'application/json'};
const srv=http.createServer((q,r)=>{r.setHeader('access-control-allow-origin','*');const u=q.url.split('?')[0];
 if(u==='/'){r.setHeader('content-type','text/html');r.setHeader('content-security-policy',"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-src 'self'; img-src data:");return r.end(`<!doctype html><html lang=en><title>t</title><meta name=viewport content="width=device-width"><script src="/checkout/paycore.js" async></script><main><h1>Shop</h1><paycore-checkout client-secret="cs_test_x" locale="${new URL(q.url,'http://x').searchParams.get('l')||'en'}" theme="${new URL(q.url,'http://x').searchParams.get('t')||'default'}"></paycore-checkout></main>`);}
 if(u==='/checkout/order'){r.setHeader('content-type','application/json');return r.end(JSON.stringify(order));}
 if(u==='/checkout/order/events'){r.setHeader('content-type','text/event-stream');r.flushHeaders();listeners.add(r);q.on('close',()=>listeners.delete(r));return;}
 if(u.startsWith('/checkout/order/')){let b='';q.on('data',d=>b+=d).on('end',()=>setTimeout(()=>{b=JSON.parse(b);
   if(u.endsWith('pay')&&(b.after??null)===(order.attempt?.id??null)){pays++;const s=b.method.split('.')[1];
     if(s==='qr')change({attempt:{id:'att_'+pays,method:b.method,status:'awaiting'},next_action:{type:'qr',content:'https://qr.example/x'}});
     else if(s==='card')change({status:'succeeded',attempt:{id:'att_'+pays,method:b.method,status:'succeeded'},next_action:null});
     else change({attempt:{id:'att_'+pays,method:b.method,status:'awaiting'},next_action:{type:'redirect',url:'http://'+q.headers.host+'/cashier'}});}
   if(u.endsWith('release')&&order.attempt)change({attempt:{...order.attempt,status:'closed'},next_action:null});
   r.setHeader('content-type','application/json');r.end(JSON.stringify(order));},150));return;}
 if(u==='/cashier'){r.setHeader('content-type','text/html');return r.end('<title>cashier</title>cashier');}
 const f=dist+u.replace('/checkout/','');if(fs.existsSync(f)&&fs.statSync(f).isFile()){r.setHeader('content-type',types[f.split('.').pop()]||'text/plain');return r.end(fs.readFileSync(f));}
 r.statusCode=404;r.end();});
srv.listen(0,async()=>{const base='http://127.0.0.1:'+srv.address().port;
 const b=await chromium.launch({executablePath:process.env.CHROMIUM||'/usr/bin/chromium',args:['--no-sandbox','--disable-gpu','--disable-quic','--no-first-run','--disable-background-networking','--disable-component-update','--disable-sync']});
 const ok=(n,c)=>{console.log(c?'ok  ':'FAIL',n);if(!c)failed++;};
 const open=async(l,opt={},t='')=>{const c=await b.newContext({viewport:opt.v||{width:1000,height:800}});const p=await c.newPage();p.on('console',m=>{if(m.type()==='error')console.log('console',m.text())});p.on('pageerror',e=>console.log('pageerror',e.message));await p.goto(base+'/?l='+l+'&t='+t);return p;};
 const scan=async(p,n)=>{const r=await p.evaluate(axe+';axe.run(document,{runOnly:["wcag2a","wcag2aa","wcag21aa","wcag22aa"]})');ok('axe '+n+' '+r.violations.map(v=>v.id+':'+v.nodes.map(x=>x.target).join('|')).join(','),r.violations.length===0);};
 try{
 fresh();let p=await open('en');await p.getByRole('button',{name:'Pay ¥12.34'}).waitFor({timeout:8000});ok('methods listed',(await p.getByRole('radio').count())===3);
 await scan(p,'choose');
 await p.getByRole('button',{name:/Pay/}).dblclick();await p.getByRole('img',{name:/QR code/}).waitFor();ok('double click one payment',pays===1);
 await scan(p,'qr');ok('countdown',/\d+:\d\d/.test(await p.locator('.Countdown').innerText()));
 await p.getByRole('button',{name:'Get a new code'}).click();await p.waitForTimeout(1200);ok('refresh pays anew',pays===2);
 await p.getByRole('button',{name:'Choose another'}).click();await p.getByRole('radio').first().waitFor();ok('back to list',true);
 await p.getByRole('radio').nth(1).check();await p.getByRole('radio').nth(2).check();
 await p.evaluate(()=>{window.seen=[];for(const n of ['complete','submit','change'])document.addEventListener(n,e=>window.seen.push([n,e.detail]));});
 await p.keyboard.press('Tab');await p.keyboard.press('Enter');await p.getByText('My shop has received').waitFor();ok('card done',pays===3);ok('events in their order',(await p.evaluate(()=>window.seen.map(e=>e[0]).join()))==='submit,complete');
 await scan(p,'done');
 fresh();p=await open('ar',{v:{width:390,height:780}},'night');await p.getByRole('radio').first().waitFor();ok('rtl',await p.locator('section').getAttribute('dir')==='rtl');await scan(p,'ar night');
 fresh();p=await open('de');await p.getByRole('radio').nth(1).check();await p.getByRole('button',{name:/bezahlen/}).click();await p.waitForURL('**/cashier');ok('redirected',true);await p.goBack();await p.getByRole('button',{name:/Weiter zu/}).waitFor();ok('back does not loop',pays===1);
 change({status:'succeeded',attempt:{...order.attempt,status:'succeeded'},next_action:null});await p.getByRole('heading',{name:'Bezahlt'}).waitFor({timeout:5000});ok('sse tells',true);
 fresh();p=await open('en');await p.getByRole('radio').first().waitFor();change({status:'closed',expires_at:order.server_time});await p.getByText('This payment has expired').first().waitFor({timeout:5000});ok('expired',true);
 }catch(e){failed++;console.log('ERR',e.message.slice(0,600));}
 await b.close();process.exit(failed?1:0);});
