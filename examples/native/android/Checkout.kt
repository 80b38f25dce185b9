// Pays an order in an Android app, by WeChat Pay or Alipay. The order's client secret comes from your own server, which
// made the order with the methods `wechatpay.app` and `alipay.app`. 在 Android 应用内支付；client_secret 由您的服务端提供。
//
// Needs the WeChat SDK (com.tencent.mm.opensdk) and the Alipay SDK (com.alipay.sdk). Call from a background thread.

import android.app.Activity
import com.alipay.sdk.app.PayTask
import com.tencent.mm.opensdk.modelpay.PayReq
import com.tencent.mm.opensdk.openapi.IWXAPI
import java.net.HttpURLConnection
import java.net.URL
import org.json.JSONObject

class Checkout(private val base: String, private val clientSecret: String) {
    fun order(): JSONObject = call("GET", "order", null)

    /** Starts the payment. `after` is the last attempt the app knows of, so that a repeat starts nothing. */
    fun pay(method: String, after: String?): JSONObject =
        call("POST", "order/pay", JSONObject().put("method", method).put("after", after ?: JSONObject.NULL))

    private fun call(method: String, path: String, body: JSONObject?): JSONObject {
        val connection = URL("$base/checkout/$path").openConnection() as HttpURLConnection
        connection.requestMethod = method
        connection.setRequestProperty("Authorization", "Bearer $clientSecret")
        if (body != null) {
            connection.doOutput = true
            connection.setRequestProperty("Content-Type", "application/json")
            connection.outputStream.use { it.write(body.toString().toByteArray()) }
        }
        check(connection.responseCode == 200) { connection.errorStream?.bufferedReader()?.readText() ?: "no answer" }
        return JSONObject(connection.inputStream.bufferedReader().use { it.readText() })
    }
}

/** The parameters of an order's `next_action`, by their names. */
fun parameters(order: JSONObject): Map<String, String> {
    val pairs = order.getJSONObject("next_action").getJSONArray("parameters")
    return (0 until pairs.length()).associate { pairs.getJSONArray(it).getString(0) to pairs.getJSONArray(it).getString(1) }
}

/** Opens WeChat with the parameters of `wechatpay.app`. */
fun openWeChat(api: IWXAPI, named: Map<String, String>) {
    val request = PayReq()
    request.appId = named["appid"]
    request.partnerId = named["partnerid"]
    request.prepayId = named["prepayid"]
    request.packageValue = named["package"]
    request.nonceStr = named["noncestr"]
    request.timeStamp = named["timestamp"]
    request.sign = named["sign"]
    api.sendReq(request)
}

/** Opens Alipay with the order text of `alipay.app`. What it returns is a hint: ask [Checkout.order] how it went. */
fun openAlipay(activity: Activity, named: Map<String, String>): Map<String, String> =
    PayTask(activity).payV2(named["orderStr"], true)
