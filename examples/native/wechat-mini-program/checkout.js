// Pays an order in a WeChat mini program. The order's `client_secret` comes from your own server, which made the order
// with the method `wechatpay.mini` and the payer's openid as `payer.id`. 在微信小程序内支付；client_secret 由您的服务端提供。
//
//   const { pay } = require("./checkout");
//   const order = await pay("https://pay.example", clientSecret);
//   if (order.status === "succeeded") wx.navigateTo({ url: "/pages/thanks/thanks" });

function call(base, clientSecret, method, path, data) {
  return new Promise((resolve, reject) => {
    wx.request({
      url: `${base}/checkout/${path}`,
      method,
      data,
      header: { Authorization: `Bearer ${clientSecret}`, "Content-Type": "application/json" },
      success: (answer) => (answer.statusCode < 300 ? resolve(answer.data) : reject(answer.data)),
      fail: reject,
    });
  });
}

// The wallet's own window, with the parameters as the server signed them.
function ask(parameters) {
  const { timeStamp, nonceStr, package: prepaid, signType, paySign } = Object.fromEntries(parameters);
  return new Promise((resolve) => {
    wx.requestPayment({ timeStamp, nonceStr, package: prepaid, signType, paySign, complete: resolve });
  });
}

async function pay(base, clientSecret) {
  let order = await call(base, clientSecret, "GET", "order");
  if (order.status === "pending" && order.next_action === null) {
    const after = order.attempt ? order.attempt.id : null;
    order = await call(base, clientSecret, "POST", "order/pay", { method: "wechatpay.mini", after });
  }
  if (order.next_action && order.next_action.type === "client") await ask(order.next_action.parameters);
  // What the wallet says is a hint; the server knows. 以服务端结果为准。
  for (let tries = 0; tries < 10; tries++) {
    order = await call(base, clientSecret, "GET", "order");
    if (!["pending", "processing"].includes(order.status)) break;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  return order;
}

module.exports = { pay };
