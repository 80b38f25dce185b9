//! A month of trade and its settlement: four merchants take payments through three channels from the middle of
//! September to the middle of October, over the week of the National Day. Notifications are lost for whole days, payers
//! want their money back, some dispute, and one channel's statement is wrong. At the end every break is explained, every
//! statement ties, payouts are approved and in a file for the bank, and the books are verified.
//!
//! It talks to the engine by the operations of the catalogue, as the server does. Give it the path of a database to be
//! made.

mod world;

use serde_json::{Value, json};

use world::{Account, Failure, Shop, World};

/// How each merchant is settled, and what it pays.
const MERCHANTS: [(&str, &str, &str); 4] = [
    // T+1, flat 0.6 %.
    (
        "Tea House 茶馆",
        r#"{"cycle": {"every": "working_days", "days": 1}, "time_zone": "Asia/Shanghai", "calendar": "CN"}"#,
        r#"{"kind": "flat", "rate": "0.006"}"#,
    ),
    // D+1 whatever the calendar says, 0.4 % and ten fen.
    (
        "Noodle Bar 面馆",
        r#"{"cycle": {"every": "calendar_days", "days": 1}, "time_zone": "Asia/Shanghai", "calendar": "CN"}"#,
        r#"{"kind": "flat", "rate": "0.004", "fixed": 10}"#,
    ),
    // Weekly, with a tenth held back for a week.
    (
        "Bookshop 书店",
        r#"{"cycle": {"every": "week", "weekday": "wednesday"}, "time_zone": "Asia/Shanghai", "calendar": "CN",
            "reserves": [{"kind": "rolling", "basis_points": 1000, "days": 7}]}"#,
        r#"{"kind": "flat", "rate": "0.006"}"#,
    ),
    // Twice a month, its transfer paid by the merchant.
    (
        "Garage 修车行",
        r#"{"cycle": {"every": "half_month"}, "time_zone": "Asia/Shanghai", "calendar": "CN",
            "transfer_fee": {"payer": "merchant", "fixed": 100}}"#,
        r#"{"kind": "flat", "rate": "0.003"}"#,
    ),
];
/// From this day on the first merchant's statement of Alipay is wrong, until one day shows it.
const WRONG_FROM: u32 = 9;
/// Days of trade. Afterwards nobody buys and everything comes to rest.
const DAYS: u32 = 31;
const REST: u32 = 17;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let path = std::env::args().nth(1).ok_or("usage: settlement_day PATH-OF-A-NEW-DATABASE")?;
    let mut world = World::open(&path, &MERCHANTS).await?;
    let mut wrong = Wrong::Not;
    for day in 0..DAYS + REST {
        world.day(day, day < DAYS).await?;
        compare_yesterday(&mut world, day, &mut wrong).await?;
        pay_out(&mut world).await?;
    }
    // What was lost last is asked for once more.
    world.calm();
    world.day(DAYS + REST, false).await?;
    let shops: Vec<Shop> = world.shops().to_vec();
    for shop in &shops {
        tell(&world, shop).await?;
    }
    expect(wrong == Wrong::Right, "one statement was wrong and came right")?;
    let report = world.verify().await?;
    println!(
        "\n{} orders, {} refunds, {} disputes",
        world.count.orders, world.count.refunds, world.count.disputes
    );
    println!("{} requests lost, notifications lost on {} days", world.lost(), world.count.silent_days);
    println!("{report}");
    Ok(())
}

/// What became of the wrong statement.
#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    /// There was none yet.
    Not,
    /// The one of this day.
    Of(u32),
    /// It came right.
    Right,
}

/// Every channel's statement of the day before, and our own books; the one wrong statement comes right a day later.
async fn compare_yesterday(world: &mut World, day: u32, wrong: &mut Wrong) -> Result<(), Failure> {
    let Some(before) = day.checked_sub(1) else { return Ok(()) };
    for index in 0..world.shops().len() {
        let shop = world.shops()[index].clone();
        for account in &shop.accounts {
            let mut input = json!({"account_id": account.id, "day": world.date(before)});
            let is_its = index == 0 && account.channel == "alipay" && before >= WRONG_FROM;
            if let Wrong::Of(that) = *wrong
                && is_its
            {
                stated_again(world, &shop, account, that).await?;
                *wrong = Wrong::Right;
            }
            let spoilt = is_its && *wrong == Wrong::Not;
            if spoilt {
                input["spoil"] = json!({"missing": [1], "double": [2], "amount": [3]});
            }
            let run = world.call(&shop, "reconciliations.run", &input).await?;
            // A statement that was lost on its way is asked for again by the workers.
            let read = run["status"] == "compared" || run["status"] == "waiting";
            expect(read, &format!("{} {}: {run}", shop.name, account.channel))?;
            let broken = run["summary"]["ours_broken"].as_i64().unwrap_or(0)
                + run["summary"]["theirs_broken"].as_i64().unwrap_or(0);
            if spoilt && broken > 1 {
                println!("{}: a wrong statement of {}", world.date(before), account.channel);
                for found in pool(world, &shop).await? {
                    println!("  {}", found["explanation"]["en"].as_str().unwrap_or_default());
                }
                *wrong = Wrong::Of(before);
            }
        }
        let input = json!({"scope": "internal", "day": world.date(before)});
        let run = world.call(&shop, "reconciliations.run", &input).await?;
        expect(run["summary"]["ours_broken"] == 0, &format!("{}: our own books: {run}", shop.name))?;
    }
    Ok(())
}

/// The channel gives the right statement of the day.
async fn stated_again(world: &World, shop: &Shop, account: &Account, day: u32) -> Result<(), Failure> {
    let input = json!({"account_id": account.id, "day": world.date(day)});
    let run = world.call(shop, "reconciliations.run", &input).await?;
    println!("{}: stated again, {} breaks explained by it", world.date(day), run["summary"]["explained"]);
    Ok(())
}

/// What is not explained.
async fn pool(world: &World, shop: &Shop) -> Result<Vec<Value>, Failure> {
    let mut pool = Vec::new();
    for status in ["open", "pending"] {
        let found = world.call(shop, "breaks.list", &json!({"status": status, "limit": 100})).await?;
        pool.extend(found["data"].as_array().cloned().unwrap_or_default());
    }
    Ok(pool)
}

/// Every settlement that pays something gets its payout: drafted by one, reviewed by another, approved by as many as it
/// needs, sent in one file, and booked by the bank.
async fn pay_out(world: &mut World) -> Result<(), Failure> {
    for index in 0..world.shops().len() {
        let shop = world.shops()[index].clone();
        let closed = world.call(&shop, "settlements.list", &json!({"limit": 100})).await?;
        let mut drafted = false;
        for settlement in closed["data"].as_array().into_iter().flatten() {
            let amount = settlement["payout"].as_i64().unwrap_or(0);
            let id = settlement["id"].as_str().unwrap_or_default().to_owned();
            if amount <= 0 || !world.first_time(&id) {
                continue;
            }
            let input = json!({"amount": amount, "currency": "CNY", "beneficiary_id": shop.beneficiary,
                "settlement_id": id, "memo": settlement["memo"]});
            let payout = world.call(&shop, "payouts.create", &input).await?;
            approve(world, &shop, &payout).await?;
            drafted = true;
        }
        if drafted {
            send_batch(world, &shop).await?;
        }
    }
    Ok(())
}

async fn approve(world: &World, shop: &Shop, payout: &Value) -> Result<(), Failure> {
    let id = json!({"id": payout["id"]});
    world.call(&shop.person("clerk"), "payouts.review", &id).await?;
    let input = json!({"id": payout["id"], "effect": payout["effect"]});
    for person in ["boss", "owner"].iter().take(payout["approvals_wanted"].as_u64().unwrap_or(2) as usize) {
        world.call(&shop.person(person), "payouts.approve", &input).await?;
    }
    Ok(())
}

async fn send_batch(world: &World, shop: &Shop) -> Result<(), Failure> {
    let input = json!({"currency": "CNY", "debtor_name": "Platform 平台", "debtor_account": "6222020200098765432",
        "debtor_country": "CN"});
    let batch = world.call(shop, "payout_batches.create", &input).await?;
    for payout in batch["payouts"].as_array().into_iter().flatten() {
        let input = json!({"id": payout, "result": "paid", "bank_reference": "B1"});
        world.call(&shop.person("boss"), "payouts.settle", &input).await?;
    }
    Ok(())
}

/// A merchant's month in a few lines, and the checks that it ties.
async fn tell(world: &World, shop: &Shop) -> Result<(), Failure> {
    println!("\n{}", shop.name);
    let open = pool(world, shop).await?;
    for found in &open {
        println!("  not explained: {}", found["explanation"]["en"]);
    }
    expect(open.is_empty(), "every break is explained")?;
    let mut list = json!({"limit": 100});
    loop {
        let page = world.call(shop, "reconciliations.list", &list).await?;
        for run in page["data"].as_array().into_iter().flatten() {
            expect(run["status"] == "compared", &format!("every day is compared: {run}"))?;
        }
        match page["next_cursor"].as_str() {
            Some(cursor) if page["has_more"] == true => list["starting_after"] = json!(cursor),
            _ => break,
        }
    }
    let settlements = world.call(shop, "settlements.list", &json!({"limit": 100})).await?;
    let mut opening = 0;
    let mut paid = 0;
    for settlement in settlements["data"].as_array().into_iter().flatten().rev() {
        let statement = &settlement["statement"];
        let lines = statement["lines"].as_array().into_iter().flatten();
        let sum: i64 = lines.map(|line| line["amount"].as_i64().unwrap_or(0)).sum();
        let (from, to) = (statement["opening"].as_i64(), statement["closing"].as_i64());
        expect(
            from == Some(opening),
            &format!("{} opens with what the one before closed", settlement["number"]),
        )?;
        expect(to == Some(opening + sum), &format!("{} ties", settlement["number"]))?;
        opening = to.unwrap_or(0);
        paid += settlement["payout"].as_i64().unwrap_or(0);
    }
    let count = settlements["data"].as_array().map_or(0, Vec::len);
    println!("  {count} statements that tie, {} paid out, {} carried", yuan(paid), yuan(opening));
    let resolved = world.call(shop, "breaks.list", &json!({"status": "resolved", "limit": 100})).await?;
    for found in resolved["data"].as_array().into_iter().flatten() {
        println!("  explained: {}", found["class_name"]["en"].as_str().unwrap_or_default());
    }
    conserved(world, shop, paid).await
}

/// What came in is what went out and what stands: to the cent.
async fn conserved(world: &World, shop: &Shop, paid: i64) -> Result<(), Failure> {
    let balances = world.call(shop, "balances.list", &json!({})).await?;
    let mut sum = 0;
    let mut bank = 0;
    for balance in balances["data"].as_array().into_iter().flatten() {
        let stands = balance["debits"].as_i64().unwrap_or(0) - balance["credits"].as_i64().unwrap_or(0);
        sum += stands;
        if balance["account"].as_str().is_some_and(|account| account.starts_with("bank:")) {
            bank -= stands;
        }
    }
    expect(sum == 0, "all balances sum to zero")?;
    expect(bank == paid, &format!("the bank paid {bank}, the statements say {paid}"))
}

fn expect(holds: bool, what: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(format!("not true: {what}").into()) }
}

fn yuan(minor: i64) -> String {
    format!("{}{}.{:02}", if minor < 0 { "-" } else { "" }, minor.abs() / 100, minor.abs() % 100)
}
