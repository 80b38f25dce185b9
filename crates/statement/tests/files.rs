//! The files are read back by other people's readers: `calamine` here, and `pypdf` for the PDF where Python has it.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::process::Command;

use calamine::{Data, Reader as _, Xlsx, open_workbook_from_rs};
use paycore::calendar::{Date, Zone};
use paycore::clearing::{Item, ItemKind};
use paycore::currency::Currency;
use paycore::fx::Exchange;
use paycore::id::{FxQuoteId, ItemId, SettlementId, SettlementPlanId};
use paycore::money::Money;
use paycore::settlement::export::{Exporter as _, Format, Head, Language};
use paycore::settlement::rules::Collected;
use paycore::settlement::{
    Carried, Conversion, Converted, Line, LineKind, Payer, Period, Settlement, SettlementStatus, Statement,
    Trigger, WaitsFor,
};
use paycore::time::Timestamp;
use paycore_statement::Statements;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn head(language: Language) -> Head {
    let lines = [
        (LineKind::Sales, 2, 1_234_567_890),
        (LineKind::Refunds, 1, -50_000),
        (LineKind::Fees, 3, -7_407),
        (LineKind::Payout, 1, -1_234_000_000),
    ];
    let lines: BTreeMap<_, _> = lines.map(|(kind, count, amount)| (kind, Line { count, amount })).into();
    let closing = 1_000 + lines.values().map(|line| line.amount).sum::<i64>();
    let until = "2026-10-07T16:00:00Z".parse().unwrap();
    let (through, pay_on) = (day("2026-10-07"), day("2026-10-08"));
    let settlement = Settlement {
        id: SettlementId::from_bits(1),
        version: 1,
        plan_id: SettlementPlanId::from_bits(1),
        number: "CNY:2026-10-07".into(),
        currency: Currency::CNY,
        status: SettlementStatus::Ready,
        trigger: Trigger::Scheduled,
        period: Period { after: None, until, through, pay_on, provisional: false },
        collected: Collected::default(),
        items_expected: 3,
        statement: Some(Statement { currency: Currency::CNY, opening: 1_000, lines, closing }),
        carried_for: Some(Carried::Maximum),
        conversion: None,
        transfer_fee_payer: Payer::Platform,
        payout_id: None,
        corrections: Vec::new(),
        sequence: 1,
        created_at: until,
        closed_at: Some(until),
        due_at: Timestamp::ZERO,
    };
    let zone = Zone::named("Asia/Shanghai").unwrap();
    Head { merchant: "街角茶铺, \"本店\"".into(), settlement, zone, language }
}

fn items() -> Vec<Item> {
    let at: Timestamp = "2026-09-30T16:30:05Z".parse().unwrap();
    let item = |bits, kind, gross, fee| {
        let money = |minor| Money::new(minor, Currency::CNY);
        let mut item = Item::new(ItemId::from_bits(bits), kind, format!("=cmd|{bits}"), money(gross), at);
        item.fee = money(fee);
        item.channel = Some("alipay".into());
        item
    };
    vec![
        item(1, ItemKind::Payment, 1_234_500_000, 7_000),
        item(2, ItemKind::Payment, 67_890, 407),
        item(3, ItemKind::Refund, -50_000, 0),
    ]
}

fn made(format: Format, language: Language, items: &[Item]) -> Vec<u8> {
    let mut file = Statements.begin(head(language), format).unwrap();
    for item in items {
        file.item(item).unwrap();
    }
    file.finish().unwrap()
}

#[test]
fn a_csv_has_the_lines_and_the_items_and_no_formula() {
    let text = String::from_utf8(made(Format::Csv, Language::Chinese, &items())).unwrap();
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(lines[0], "项目,笔数,时间,类型,业务单号,订单号,渠道,支付方式,交易金额,手续费,净额,币种");
    assert_eq!(lines[1], "期初余额,,,,,,,,,,10.00,CNY");
    assert_eq!(lines[2], "交易收款,2,,,,,,,,,12345678.90,CNY");
    assert_eq!(lines[6], "期末余额,,,,,,,,,,5114.83,CNY");
    assert_eq!(
        lines[7],
        "明细,,2026-10-01 00:30:05,收款,'=cmd|1,,alipay,,12345000.00,-70.00,12344930.00,CNY"
    );
    assert_eq!(lines.len(), 10);
}

#[test]
fn a_workbook_has_numbers_where_there_are_amounts_and_times_where_there_are_times() {
    let bytes = made(Format::Xlsx, Language::English, &items());
    let mut book: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    assert_eq!(book.sheet_names(), ["Settlement statement", "Items"]);
    let statement = book.worksheet_range("Settlement statement").unwrap();
    let rows: Vec<&[Data]> = statement.rows().collect();
    let amount = |name: &str| {
        let row = rows.iter().find(|row| row[0] == *name).unwrap();
        assert!(matches!(row[2], Data::Float(_)), "{name} is a number: {:?}", row[2]);
        row[2].to_string()
    };
    assert_eq!((amount("Sales"), amount("Fees")), ("12345678.9".into(), "-74.07".into()));
    assert_eq!((amount("Opening balance"), amount("Closing balance")), ("10".into(), "5114.83".into()));
    let merchant = rows.iter().find(|row| row[0] == "Merchant").unwrap();
    assert_eq!(merchant[1], Data::String("街角茶铺, \"本店\"".into()));
    let items = book.worksheet_range("Items").unwrap();
    let first = items.rows().nth(1).unwrap();
    assert!(matches!(first[0], Data::DateTime(_)), "{:?}", first[0]);
    assert_eq!((first[2].to_string(), first[8].to_string()), ("=cmd|1".into(), "12344930".into()));
    assert_eq!(items.rows().count(), 4);
}

#[test]
fn a_pdf_says_in_words_what_the_statement_says() {
    let many: Vec<Item> = items().into_iter().cycle().take(180).collect();
    for (language, words) in [
        (
            Language::Chinese,
            ["结算单", "街角茶铺", "期末余额", "5,114.83", "12,345,678.90", "2026-10-01 00:30:05"],
        ),
        (
            Language::English,
            ["Settlement statement", "CNY:2026-10-07", "Closing balance", "5,114.83", "Refund", "-500.00"],
        ),
    ] {
        let bytes = made(Format::Pdf, language, &many);
        assert!(bytes.starts_with(b"%PDF-") && bytes.len() < 400_000, "{} bytes", bytes.len());
        let Some(text) = text_of(&bytes) else { return };
        for word in words {
            assert!(text.contains(word), "{word} is not in:\n{text}");
        }
    }
}

/// 12,340,000.00 yuan sold for yen, which have no decimals: 12,340,000 at 20.5 are 252,970,000.
fn in_yen(language: Language, is_done: bool) -> Head {
    let mut head = head(language);
    let lines = &mut head.settlement.statement.as_mut().unwrap().lines;
    let paid = lines.remove(&LineKind::Payout).unwrap();
    lines.insert(LineKind::Converted, paid);
    let yen = |minor| Money::new(minor, Currency::JPY);
    let exchange = Exchange {
        sold: Money::new(1_234_000_000, Currency::CNY),
        bought: yen(251_705_150),
        spread: yen(1_264_850),
        rounding: yen(0),
        mid: "20.5".parse().unwrap(),
        rate: "20.397500000001".parse().unwrap(),
    };
    let at = head.settlement.created_at;
    let done = is_done.then_some(Converted { quote_id: FxQuoteId::from_bits(1), exchange, at });
    let waits_for = (!is_done).then_some(WaitsFor::Rate);
    head.settlement.conversion = Some(Conversion { into: Currency::JPY, waits_for, done });
    head
}

fn written(head: Head, format: Format) -> Vec<u8> {
    Statements.begin(head, format).unwrap().finish().unwrap()
}

#[test]
fn a_settlement_in_another_currency_has_a_second_statement_that_leads_to_zero() {
    let text = String::from_utf8(written(in_yen(Language::Chinese, true), Format::Csv)).unwrap();
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(lines[2], "成交汇率,,,,1 CNY = 20.397500000001 JPY,,,,,,,");
    assert_eq!(lines[7], "换汇转出,1,,,,,,,,,-12340000.00,CNY");
    let second = ["期初余额,", "换汇转入（中间价）,1", "汇兑点差,1", "本期出款,1", "期末余额,"];
    let amounts = ["0", "252970000", "-1264850", "-251705150", "0"];
    for ((line, name), amount) in lines[9..].iter().zip(second).zip(amounts) {
        assert!(line.starts_with(name) && line.ends_with(&format!(",{amount},JPY")), "{line}");
    }
    assert_eq!(lines.len(), 14);
}

#[test]
fn the_rate_stands_to_its_last_digit_in_workbook_and_page_and_what_waits_says_so() {
    let bytes = written(in_yen(Language::English, true), Format::Xlsx);
    let mut book: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let sheet = book.worksheet_range("Settlement statement").unwrap();
    let rows: Vec<&[Data]> = sheet.rows().collect();
    let value = |name: &str, column: usize| {
        rows.iter().find(|row| row[0] == *name).map(|row| row[column].to_string()).unwrap_or_default()
    };
    assert_eq!(value("Exchange rate", 1), "1 CNY = 20.397500000001 JPY");
    assert_eq!((value("Exchange spread", 2), value("Exchange spread", 3)), ("-1264850".into(), "JPY".into()));
    assert_eq!(value("Converted for payout", 3), "CNY");
    let page = written(in_yen(Language::Chinese, true), Format::Pdf);
    let waiting = written(in_yen(Language::Chinese, false), Format::Pdf);
    let (Some(page), Some(waiting)) = (text_of(&page), text_of(&waiting)) else { return };
    for word in ["出款币种", "1 CNY = 20.397500000001 JPY", "1 CNY = 20.5 JPY", "251,705,150", "汇兑点差"]
    {
        assert!(page.contains(word), "{word} is not in:\n{page}");
    }
    assert!(waiting.contains("等待汇率") && !waiting.contains("汇兑点差"), "{waiting}");
}

/// The text of a PDF as `pypdf` reads it; none where there is no such Python and nobody claims there is.
fn text_of(pdf: &[u8]) -> Option<String> {
    let Some(python) = std::env::var_os("PAYCORE_PYTHON") else {
        assert!(std::env::var_os("CI").is_none(), "CI must say where its Python is: PAYCORE_PYTHON");
        return None;
    };
    let path = std::env::temp_dir().join(format!("paycore-statement-{}.pdf", std::process::id()));
    std::fs::write(&path, pdf).unwrap();
    let script = "import sys, pypdf\nsys.stdout.reconfigure(encoding='utf-8')\n\
                  [print(page.extract_text()) for page in pypdf.PdfReader(sys.argv[1]).pages]";
    let output = Command::new(python).args(["-c", script]).arg(&path).output().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}
