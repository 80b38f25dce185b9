//! One payment, embedded: no server, no database, no account; the store is memory and Alipay is its simulator.

use paycore::channel::Action;
use paycore::engine::Engine;
use paycore::order::service::{self as orders, OrderById};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::sandbox(paycore_channels::REGISTRY);
    let shop = engine.demo_shop().await?;
    let tea = r#"{"amount": 1234, "currency": "CNY", "subject": "Tea 茶叶", "method": "alipay.qr"}"#;
    let order = orders::create(&engine, &shop, serde_json::from_str(tea)?).await?;
    let Some(Action::Qr { content }) = &order.next_action else { return Err("no QR code".into()) };
    fast_qr::QRBuilder::new(content.as_str()).build()?.print();
    println!("{} of {} is {}: {content}", order.id, order.money, order.status.text());
    engine.payer_pays(&order).await?;
    let order = orders::retrieve(&engine, &shop, OrderById { id: order.id }).await?;
    println!("{} of {} is {}", order.id, order.money, order.status.text());
    Ok(())
}
