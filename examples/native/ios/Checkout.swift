// Pays an order in an iOS app, by WeChat Pay or Alipay. The order's client secret comes from your own server, which made
// the order with the methods `wechatpay.app` and `alipay.app`. 在 iOS 应用内支付；client_secret 由您的服务端提供。
//
// Needs WechatOpenSDK (WXApi.registerApp at launch) and AlipaySDK. 需要微信 OpenSDK 与支付宝 SDK。

import AlipaySDK
import Foundation
import WechatOpenSDK

struct Order: Decodable {
    struct Attempt: Decodable { let id: String }
    struct Action: Decodable {
        let type: String
        let parameters: [[String]]?
        /// The parameters by their names.
        var named: [String: String] {
            (parameters ?? []).reduce(into: [:]) { named, pair in
                if pair.count == 2 { named[pair[0]] = pair[1] }
            }
        }
    }
    let status: String
    let attempt: Attempt?
    let next_action: Action?
}

struct Checkout {
    let base: URL
    let clientSecret: String

    func order() async throws -> Order { try await call("GET", "checkout/order", body: nil) }

    /// Starts the payment. `after` is the last attempt the app knows of, so that a repeat starts nothing.
    func pay(by method: String, after: String?) async throws -> Order {
        let body: [String: Any] = ["method": method, "after": after ?? NSNull()]
        return try await call("POST", "checkout/order/pay", body: body)
    }

    private func call(_ method: String, _ path: String, body: [String: Any]?) async throws -> Order {
        var request = URLRequest(url: base.appendingPathComponent(path))
        request.httpMethod = method
        request.setValue("Bearer \(clientSecret)", forHTTPHeaderField: "Authorization")
        if let body {
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
            request.httpBody = try JSONSerialization.data(withJSONObject: body)
        }
        let (data, answer) = try await URLSession.shared.data(for: request)
        guard (answer as? HTTPURLResponse)?.statusCode == 200 else { throw URLError(.badServerResponse) }
        return try JSONDecoder().decode(Order.self, from: data)
    }
}

/// Opens WeChat with the parameters of `wechatpay.app`.
func openWeChat(_ action: Order.Action) {
    let named = action.named
    let request = PayReq()
    request.partnerId = named["partnerid"] ?? ""
    request.prepayId = named["prepayid"] ?? ""
    request.package = named["package"] ?? ""
    request.nonceStr = named["noncestr"] ?? ""
    request.timeStamp = UInt32(named["timestamp"] ?? "") ?? 0
    request.sign = named["sign"] ?? ""
    WXApi.send(request)
}

/// Opens Alipay with the order text of `alipay.app`; the app comes back by its own scheme.
func openAlipay(_ action: Order.Action, scheme: String) {
    AlipaySDK.defaultService().payOrder(action.named["orderStr"] ?? "", fromScheme: scheme) { _ in
        // A hint only: ask `Checkout.order()` how it went. 仅供参考，请查询结果。
    }
}
