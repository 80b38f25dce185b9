// Pays an order in an Alipay mini program. The order's `client_secret` comes from your own server, which made the order
// with the method `alipay.mini` and the payer's open id as `payer.id`. 在支付宝小程序内支付；client_secret 由您的服务端提供。
//
//   import { pay } from "./checkout";
//   const order = await pay("https://pay.example", clientSecret);

async function call(base, clientSecret, method, path, data) {
  const answer = await my.request({
    url: `${base}/checkout/${path}`,
    method,
    data: data && JSON.stringify(data),
    headers: { Authorization: `Bearer ${clientSecret}`, "Content-Type": "application/json" },
    dataType: "json",
  });
  return answer.data;
}

export async function pay(base, clientSecret) {
  let order = await call(base, clientSecret, "GET", "order");
  if (order.status === "pending" && order.next_action === null) {
    const after = order.attempt ? order.attempt.id : null;
    order = await call(base, clientSecret, "POST", "order/pay", { method: "alipay.mini", after });
  }
  if (order.next_action && order.next_action.type === "client") {
    const { tradeNO } = Object.fromEntries(order.next_action.parameters);
    await new Promise((resolve) => my.tradePay({ tradeNO, complete: resolve }));
  }
  // What the wallet says is a hint; the server knows. 以服务端结果为准。
  for (let tries = 0; tries < 10; tries++) {
    order = await call(base, clientSecret, "GET", "order");
    if (!["pending", "processing"].includes(order.status)) break;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  return order;
}
