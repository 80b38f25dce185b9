// Hands the parameters of an order to the wallet in whose browser this page runs, and then looks how it went.
"use strict";
const button = document.getElementById("wallet");
const parameters = JSON.parse(button.dataset.parameters);
const look = () => location.replace(location.href);

function inWechat() {
  window.WeixinJSBridge.invoke("getBrandWCPayRequest", parameters, look);
}

function inAlipay() {
  window.AlipayJSBridge.call("tradePay", parameters, look);
}

function pay() {
  if (window.WeixinJSBridge) return inWechat();
  if (window.AlipayJSBridge) return inAlipay();
  // The bridge comes a moment after the page.
  document.addEventListener("WeixinJSBridgeReady", inWechat, { once: true });
  document.addEventListener("AlipayJSBridgeReady", inAlipay, { once: true });
}

button.addEventListener("click", pay);
pay();
