//! Currencies: the active ISO 4217 list as constant data.
//!
//! A [`Currency`] can only be one of the rows of the table at the end of the code, so a currency that
//! exists always has a minor unit, a numeric code and names. What is left out, and why:
//!
//! - codes without a minor unit (`XAU`, `XAG`, `XPT`, `XPD`, `XDR`, `XSU`, `XUA`, `XBA`-`XBD`, `XTS`,
//!   `XXX`): metals, units of account, the test code and "no currency" cannot be paid in whole minor units;
//! - `XAD`: it has a minor unit, but only central banks hold it;
//! - withdrawn codes (`ANG`, `BGN`, `CUC`, `HRK`, `SLL`, `ZWL`): nobody may open a new payment in them.
//!
//! Fund codes with a minor unit (`CLF`, `UYW`, `USN`, ...) are in: contracts are priced in them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// One active ISO 4217 currency: one byte, ordered alphabetically by code.
///
/// In JSON it is the code as a string, written in upper case and read in either case.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd)]
pub struct Currency(Index);

/// The text is not the code of a currency that can be paid in.
#[derive(Debug, Clone, Eq, PartialEq, thiserror::Error)]
#[error("unknown currency {code:?}: expected a three-letter ISO 4217 code such as CNY")]
pub struct UnknownCurrency {
    /// The beginning of what was given, at most eight characters.
    pub code: String,
}

impl Currency {
    /// Reads a code of exactly three ASCII letters, all upper case, all lower case or mixed.
    ///
    /// # Errors
    /// [`UnknownCurrency`] when the text is anything else or the code is not in the table.
    pub fn parse(text: &str) -> Result<Currency, UnknownCurrency> {
        let unknown = || UnknownCurrency { code: text.chars().take(8).collect() };
        let mut code: [u8; 3] = text.as_bytes().try_into().map_err(|_| unknown())?;
        code.make_ascii_uppercase();
        ALL.binary_search_by(|candidate| candidate.code().as_bytes().cmp(&code))
            .map(|position| ALL[position])
            .map_err(|_| unknown())
    }

    /// Finds a currency by its ISO 4217 number (`156` is CNY); `None` when the table has no such number.
    pub fn from_numeric(numeric: u16) -> Option<Currency> {
        Currency::all().find(|currency| currency.numeric() == numeric)
    }

    /// Every currency of the table, in alphabetical order of code.
    pub fn all() -> impl ExactSizeIterator<Item = Currency> + Clone {
        ALL.iter().copied()
    }

    /// The alphabetic code, three upper-case letters.
    pub const fn code(self) -> &'static str {
        self.row().code
    }

    /// The ISO 4217 number; written with three digits where a channel wants text.
    pub const fn numeric(self) -> u16 {
        self.row().numeric
    }

    /// The number of decimals of the minor unit: 0 (JPY), 2 (CNY), 3 (KWD) or 4 (CLF).
    pub const fn exponent(self) -> u8 {
        self.row().exponent
    }

    /// The English name.
    pub const fn name_en(self) -> &'static str {
        NAMES[self.0 as usize].en
    }

    /// The Chinese name.
    pub const fn name_zh(self) -> &'static str {
        NAMES[self.0 as usize].zh
    }

    /// The sign to print before an amount. No two currencies share one, so a printed amount is never
    /// ambiguous: `¥` is CNY and the yen is `JP¥`. Currencies without a distinct sign give their code.
    pub const fn symbol(self) -> &'static str {
        self.row().symbol
    }

    const fn row(self) -> &'static Row {
        &TABLE[self.0 as usize]
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Currency, UnknownCurrency> {
        Currency::parse(text)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Currency, D::Error> {
        struct Code;
        impl Visitor<'_> for Code {
            type Value = Currency;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a three-letter ISO 4217 currency code")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Currency, E> {
                Currency::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Code)
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::Currency").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "ISO 4217 alphabetic code; answered in upper case.",
            "pattern": "^[A-Za-z]{3}$",
            "examples": ["CNY"],
        })
    }
}

struct Row {
    code: &'static str,
    numeric: u16,
    exponent: u8,
    symbol: &'static str,
}

/// Names apart from the rest, so that a program that prints only amounts does not carry them.
struct Names {
    en: &'static str,
    zh: &'static str,
}

/// Writes the rows once and derives from them the index, the table and one constant per currency.
macro_rules! currencies {
    ($($code:ident $numeric:literal $exponent:literal $en:literal $zh:literal $symbol:literal;)+) => {
        #[expect(clippy::upper_case_acronyms, reason = "the variants are the ISO codes themselves")]
        #[derive(Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd)]
        #[repr(u8)]
        enum Index { $($code),+ }

        const ALL: &[Currency] = &[$(Currency(Index::$code)),+];

        static TABLE: [Row; ALL.len()] = [$(Row {
            code: stringify!($code),
            numeric: $numeric,
            exponent: $exponent,
            symbol: $symbol,
        }),+];

        static NAMES: [Names; ALL.len()] = [$(Names { en: $en, zh: $zh }),+];

        impl Currency {
            $(
                #[doc = concat!($en, " / ", $zh, ", ", stringify!($exponent), " decimals.")]
                pub const $code: Currency = Currency(Index::$code);
            )+
        }
    };
}

// Kept in alphabetical order of code: `parse` searches by halves, and a test checks the order.
currencies! {
    AED 784 2 "United Arab Emirates dirham" "阿联酋迪拉姆" "AED";
    AFN 971 2 "Afghan afghani" "阿富汗尼" "؋";
    ALL 8 2 "Albanian lek" "阿尔巴尼亚列克" "ALL";
    AMD 51 2 "Armenian dram" "亚美尼亚德拉姆" "֏";
    AOA 973 2 "Angolan kwanza" "安哥拉宽扎" "Kz";
    ARS 32 2 "Argentine peso" "阿根廷比索" "AR$";
    AUD 36 2 "Australian dollar" "澳大利亚元" "A$";
    AWG 533 2 "Aruban florin" "阿鲁巴弗罗林" "Afl.";
    AZN 944 2 "Azerbaijani manat" "阿塞拜疆马纳特" "₼";
    BAM 977 2 "Bosnia and Herzegovina convertible mark" "波黑可兑换马克" "KM";
    BBD 52 2 "Barbados dollar" "巴巴多斯元" "Bds$";
    BDT 50 2 "Bangladeshi taka" "孟加拉塔卡" "৳";
    BHD 48 3 "Bahraini dinar" "巴林第纳尔" "BHD";
    BIF 108 0 "Burundian franc" "布隆迪法郎" "FBu";
    BMD 60 2 "Bermudian dollar" "百慕大元" "BD$";
    BND 96 2 "Brunei dollar" "文莱元" "B$";
    BOB 68 2 "Bolivian boliviano" "玻利维亚诺" "Bs";
    BOV 984 2 "Bolivian Mvdol" "玻利维亚 Mvdol（资金单位）" "BOV";
    BRL 986 2 "Brazilian real" "巴西雷亚尔" "R$";
    BSD 44 2 "Bahamian dollar" "巴哈马元" "BS$";
    BTN 64 2 "Bhutanese ngultrum" "不丹努尔特鲁姆" "Nu.";
    BWP 72 2 "Botswana pula" "博茨瓦纳普拉" "BWP";
    BYN 933 2 "Belarusian rouble" "白俄罗斯卢布" "BYN";
    BZD 84 2 "Belize dollar" "伯利兹元" "BZ$";
    CAD 124 2 "Canadian dollar" "加拿大元" "CA$";
    CDF 976 2 "Congolese franc" "刚果法郎" "FC";
    CHE 947 2 "WIR euro" "WIR 欧元" "CHE";
    CHF 756 2 "Swiss franc" "瑞士法郎" "CHF";
    CHW 948 2 "WIR franc" "WIR 法郎" "CHW";
    CLF 990 4 "Chilean unit of account (UF)" "智利发展单位（UF）" "UF";
    CLP 152 0 "Chilean peso" "智利比索" "CLP$";
    CNY 156 2 "Chinese yuan" "人民币" "¥";
    COP 170 2 "Colombian peso" "哥伦比亚比索" "COL$";
    COU 970 2 "Colombian real value unit (UVR)" "哥伦比亚实际价值单位（UVR）" "COU";
    CRC 188 2 "Costa Rican colón" "哥斯达黎加科朗" "₡";
    CUP 192 2 "Cuban peso" "古巴比索" "CUP";
    CVE 132 2 "Cape Verdean escudo" "佛得角埃斯库多" "CVE";
    CZK 203 2 "Czech koruna" "捷克克朗" "Kč";
    DJF 262 0 "Djiboutian franc" "吉布提法郎" "Fdj";
    DKK 208 2 "Danish krone" "丹麦克朗" "DKK";
    DOP 214 2 "Dominican peso" "多米尼加比索" "RD$";
    DZD 12 2 "Algerian dinar" "阿尔及利亚第纳尔" "DZD";
    EGP 818 2 "Egyptian pound" "埃及镑" "E£";
    ERN 232 2 "Eritrean nakfa" "厄立特里亚纳克法" "Nfk";
    ETB 230 2 "Ethiopian birr" "埃塞俄比亚比尔" "ETB";
    EUR 978 2 "Euro" "欧元" "€";
    FJD 242 2 "Fijian dollar" "斐济元" "FJ$";
    FKP 238 2 "Falkland Islands pound" "福克兰群岛镑" "FK£";
    GBP 826 2 "Pound sterling" "英镑" "£";
    GEL 981 2 "Georgian lari" "格鲁吉亚拉里" "₾";
    GHS 936 2 "Ghanaian cedi" "加纳塞地" "GH₵";
    GIP 292 2 "Gibraltar pound" "直布罗陀镑" "GI£";
    GMD 270 2 "Gambian dalasi" "冈比亚达拉西" "GMD";
    GNF 324 0 "Guinean franc" "几内亚法郎" "FG";
    GTQ 320 2 "Guatemalan quetzal" "危地马拉格查尔" "GTQ";
    GYD 328 2 "Guyanese dollar" "圭亚那元" "G$";
    HKD 344 2 "Hong Kong dollar" "港元" "HK$";
    HNL 340 2 "Honduran lempira" "洪都拉斯伦皮拉" "HNL";
    HTG 332 2 "Haitian gourde" "海地古德" "HTG";
    HUF 348 2 "Hungarian forint" "匈牙利福林" "Ft";
    IDR 360 2 "Indonesian rupiah" "印度尼西亚卢比" "Rp";
    ILS 376 2 "Israeli new shekel" "以色列新谢克尔" "₪";
    INR 356 2 "Indian rupee" "印度卢比" "₹";
    IQD 368 3 "Iraqi dinar" "伊拉克第纳尔" "IQD";
    IRR 364 2 "Iranian rial" "伊朗里亚尔" "IRR";
    ISK 352 0 "Icelandic króna" "冰岛克朗" "ISK";
    JMD 388 2 "Jamaican dollar" "牙买加元" "J$";
    JOD 400 3 "Jordanian dinar" "约旦第纳尔" "JD";
    JPY 392 0 "Japanese yen" "日元" "JP¥";
    KES 404 2 "Kenyan shilling" "肯尼亚先令" "KSh";
    KGS 417 2 "Kyrgyzstani som" "吉尔吉斯斯坦索姆" "KGS";
    KHR 116 2 "Cambodian riel" "柬埔寨瑞尔" "៛";
    KMF 174 0 "Comorian franc" "科摩罗法郎" "KMF";
    KPW 408 2 "North Korean won" "朝鲜元" "KP₩";
    KRW 410 0 "South Korean won" "韩元" "₩";
    KWD 414 3 "Kuwaiti dinar" "科威特第纳尔" "KD";
    KYD 136 2 "Cayman Islands dollar" "开曼群岛元" "CI$";
    KZT 398 2 "Kazakhstani tenge" "哈萨克斯坦坚戈" "₸";
    LAK 418 2 "Lao kip" "老挝基普" "₭";
    LBP 422 2 "Lebanese pound" "黎巴嫩镑" "LL";
    LKR 144 2 "Sri Lankan rupee" "斯里兰卡卢比" "LKR";
    LRD 430 2 "Liberian dollar" "利比里亚元" "LR$";
    LSL 426 2 "Lesotho loti" "莱索托洛蒂" "LSL";
    LYD 434 3 "Libyan dinar" "利比亚第纳尔" "LD";
    MAD 504 2 "Moroccan dirham" "摩洛哥迪拉姆" "MAD";
    MDL 498 2 "Moldovan leu" "摩尔多瓦列伊" "MDL";
    MGA 969 2 "Malagasy ariary" "马达加斯加阿里亚里" "Ar";
    MKD 807 2 "Macedonian denar" "马其顿第纳尔" "MKD";
    MMK 104 2 "Myanmar kyat" "缅甸元" "MMK";
    MNT 496 2 "Mongolian tögrög" "蒙古图格里克" "₮";
    MOP 446 2 "Macau pataca" "澳门元" "MOP$";
    MRU 929 2 "Mauritanian ouguiya" "毛里塔尼亚乌吉亚" "UM";
    MUR 480 2 "Mauritian rupee" "毛里求斯卢比" "MUR";
    MVR 462 2 "Maldivian rufiyaa" "马尔代夫卢菲亚" "Rf";
    MWK 454 2 "Malawian kwacha" "马拉维克瓦查" "MWK";
    MXN 484 2 "Mexican peso" "墨西哥比索" "MX$";
    MXV 979 2 "Mexican investment unit (UDI)" "墨西哥投资单位（UDI）" "MXV";
    MYR 458 2 "Malaysian ringgit" "马来西亚林吉特" "RM";
    MZN 943 2 "Mozambican metical" "莫桑比克梅蒂卡尔" "MT";
    NAD 516 2 "Namibian dollar" "纳米比亚元" "N$";
    NGN 566 2 "Nigerian naira" "尼日利亚奈拉" "₦";
    NIO 558 2 "Nicaraguan córdoba" "尼加拉瓜科多巴" "C$";
    NOK 578 2 "Norwegian krone" "挪威克朗" "NOK";
    NPR 524 2 "Nepalese rupee" "尼泊尔卢比" "NPR";
    NZD 554 2 "New Zealand dollar" "新西兰元" "NZ$";
    OMR 512 3 "Omani rial" "阿曼里亚尔" "OMR";
    PAB 590 2 "Panamanian balboa" "巴拿马巴波亚" "B/.";
    PEN 604 2 "Peruvian sol" "秘鲁索尔" "S/";
    PGK 598 2 "Papua New Guinean kina" "巴布亚新几内亚基那" "PGK";
    PHP 608 2 "Philippine peso" "菲律宾比索" "₱";
    PKR 586 2 "Pakistani rupee" "巴基斯坦卢比" "PKR";
    PLN 985 2 "Polish złoty" "波兰兹罗提" "zł";
    PYG 600 0 "Paraguayan guaraní" "巴拉圭瓜拉尼" "₲";
    QAR 634 2 "Qatari riyal" "卡塔尔里亚尔" "QR";
    RON 946 2 "Romanian leu" "罗马尼亚列伊" "RON";
    RSD 941 2 "Serbian dinar" "塞尔维亚第纳尔" "RSD";
    RUB 643 2 "Russian rouble" "俄罗斯卢布" "₽";
    RWF 646 0 "Rwandan franc" "卢旺达法郎" "FRw";
    SAR 682 2 "Saudi riyal" "沙特里亚尔" "SAR";
    SBD 90 2 "Solomon Islands dollar" "所罗门群岛元" "SI$";
    SCR 690 2 "Seychellois rupee" "塞舌尔卢比" "SCR";
    SDG 938 2 "Sudanese pound" "苏丹镑" "SDG";
    SEK 752 2 "Swedish krona" "瑞典克朗" "SEK";
    SGD 702 2 "Singapore dollar" "新加坡元" "S$";
    SHP 654 2 "Saint Helena pound" "圣赫勒拿镑" "SH£";
    SLE 925 2 "Sierra Leonean leone" "塞拉利昂利昂" "Le";
    SOS 706 2 "Somali shilling" "索马里先令" "SOS";
    SRD 968 2 "Surinamese dollar" "苏里南元" "SR$";
    SSP 728 2 "South Sudanese pound" "南苏丹镑" "SSP";
    STN 930 2 "São Tomé and Príncipe dobra" "圣多美和普林西比多布拉" "Db";
    SVC 222 2 "Salvadoran colón" "萨尔瓦多科朗" "SVC";
    SYP 760 2 "Syrian pound" "叙利亚镑" "SYP";
    SZL 748 2 "Swazi lilangeni" "斯威士兰里兰吉尼" "SZL";
    THB 764 2 "Thai baht" "泰铢" "฿";
    TJS 972 2 "Tajikistani somoni" "塔吉克斯坦索莫尼" "TJS";
    TMT 934 2 "Turkmenistani manat" "土库曼斯坦马纳特" "TMT";
    TND 788 3 "Tunisian dinar" "突尼斯第纳尔" "DT";
    TOP 776 2 "Tongan paʻanga" "汤加潘加" "T$";
    TRY 949 2 "Turkish lira" "土耳其里拉" "₺";
    TTD 780 2 "Trinidad and Tobago dollar" "特立尼达和多巴哥元" "TT$";
    TWD 901 2 "New Taiwan dollar" "新台币" "NT$";
    TZS 834 2 "Tanzanian shilling" "坦桑尼亚先令" "TSh";
    UAH 980 2 "Ukrainian hryvnia" "乌克兰格里夫纳" "₴";
    UGX 800 0 "Ugandan shilling" "乌干达先令" "USh";
    USD 840 2 "United States dollar" "美元" "US$";
    USN 997 2 "United States dollar (next day)" "美元（次日交割）" "USN";
    UYI 940 0 "Uruguayan indexed unit (UI)" "乌拉圭指数化单位（UI）" "UYI";
    UYU 858 2 "Uruguayan peso" "乌拉圭比索" "$U";
    UYW 927 4 "Uruguayan pension unit (UP)" "乌拉圭养老金单位（UP）" "UYW";
    UZS 860 2 "Uzbekistani sum" "乌兹别克斯坦苏姆" "UZS";
    VED 926 2 "Venezuelan digital bolívar" "委内瑞拉数字玻利瓦尔" "Bs.D";
    VES 928 2 "Venezuelan sovereign bolívar" "委内瑞拉主权玻利瓦尔" "Bs.S";
    VND 704 0 "Vietnamese đồng" "越南盾" "₫";
    VUV 548 0 "Vanuatu vatu" "瓦努阿图瓦图" "VT";
    WST 882 2 "Samoan tala" "萨摩亚塔拉" "WS$";
    XAF 950 0 "Central African CFA franc" "中非法郎" "FCFA";
    XCD 951 2 "East Caribbean dollar" "东加勒比元" "EC$";
    XCG 532 2 "Caribbean guilder" "加勒比盾" "Cg";
    XOF 952 0 "West African CFA franc" "西非法郎" "CFA";
    XPF 953 0 "CFP franc" "太平洋法郎" "CFPF";
    YER 886 2 "Yemeni rial" "也门里亚尔" "YER";
    ZAR 710 2 "South African rand" "南非兰特" "ZAR";
    ZMW 967 2 "Zambian kwacha" "赞比亚克瓦查" "ZMW";
    ZWG 924 2 "Zimbabwe gold" "津巴布韦金元" "ZiG";
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use iso_currency::{Currency as Iso, IntoEnumIterator};

    use super::*;

    /// Active codes of the reference list that the table leaves out on purpose.
    const LEFT_OUT: &[&str] = &["XAD"];
    /// Codes the reference list calls superseded while ISO 4217 still lists them as active.
    const STILL_ACTIVE: &[&str] = &["VES"];

    #[test]
    fn the_table_agrees_with_an_independent_copy_of_iso_4217() {
        let ours: BTreeMap<_, _> =
            Currency::all().map(|c| (c.code().to_owned(), (c.numeric(), c.exponent()))).collect();
        let theirs: BTreeMap<_, _> = Iso::iter()
            .filter(|iso| iso.is_superseded().is_none() || STILL_ACTIVE.contains(&iso.code()))
            .filter(|iso| !LEFT_OUT.contains(&iso.code()))
            .filter_map(|iso| {
                let exponent = u8::try_from(iso.exponent()?).expect("an exponent fits a byte");
                Some((iso.code().to_owned(), (iso.numeric(), exponent)))
            })
            .collect();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn each_named_difference_from_the_reference_list_is_real() {
        for code in LEFT_OUT {
            assert!(Iso::from_code(code).is_some_and(|iso| iso.exponent().is_some()), "{code}");
            assert!(Currency::parse(code).is_err(), "{code}");
        }
        for code in STILL_ACTIVE {
            assert!(Iso::from_code(code).is_some_and(|iso| iso.is_superseded().is_some()), "{code}");
            assert!(Currency::parse(code).is_ok(), "{code}");
        }
    }

    #[test]
    fn codes_that_cannot_be_paid_in_are_refused() {
        for code in
            ["XAU", "XAG", "XPT", "XPD", "XDR", "XSU", "XUA", "XBA", "XTS", "XXX", "BGN", "HRK", "CUC"]
        {
            assert!(Currency::parse(code).is_err(), "{code}");
        }
    }

    #[test]
    fn codes_are_in_order_and_codes_numbers_and_symbols_are_unique() {
        let codes: Vec<_> = Currency::all().map(Currency::code).collect();
        assert!(codes.is_sorted_by(|a, b| a < b));
        let numbers: BTreeSet<_> = Currency::all().map(Currency::numeric).collect();
        assert_eq!(numbers.len(), codes.len());
        let symbols: BTreeSet<_> = Currency::all().map(Currency::symbol).collect();
        assert_eq!(symbols.len(), codes.len());
        let zh: BTreeSet<_> = Currency::all().map(Currency::name_zh).collect();
        let en: BTreeSet<_> = Currency::all().map(Currency::name_en).collect();
        assert_eq!((zh.len(), en.len()), (codes.len(), codes.len()));
    }

    #[test]
    fn a_symbol_that_is_a_code_is_its_own_code() {
        for currency in Currency::all() {
            if let Ok(named) = Currency::parse(currency.symbol()) {
                assert_eq!(named, currency);
            }
        }
    }

    #[test]
    fn every_code_is_read_in_both_cases_and_from_its_number() {
        for currency in Currency::all() {
            assert_eq!(Currency::parse(currency.code()), Ok(currency));
            assert_eq!(Currency::parse(&currency.code().to_lowercase()), Ok(currency));
            assert_eq!(Currency::from_numeric(currency.numeric()), Some(currency));
        }
        assert_eq!(Currency::parse("cNy"), Ok(Currency::CNY));
        assert_eq!(Currency::from_numeric(0), None);
    }

    #[test]
    fn anything_but_three_known_letters_is_refused() {
        for text in
            ["", "CN", "CNYY", " CNY", "CNY ", "C Y", "156", "ＣＮＹ", "¥", "元", "RMB", "ﬁx", "\0\0\0"]
        {
            assert!(Currency::parse(text).is_err(), "{text:?}");
        }
        let long = "x".repeat(10_000);
        assert_eq!(Currency::parse(&long).unwrap_err().code, "xxxxxxxx");
    }

    #[test]
    fn json_is_the_upper_case_code() {
        assert_eq!(serde_json::to_string(&Currency::HKD).unwrap(), r#""HKD""#);
        assert_eq!(serde_json::from_str::<Currency>(r#""hkd""#).unwrap(), Currency::HKD);
        assert_eq!(serde_json::from_value::<Currency>(serde_json::json!("Hkd")).unwrap(), Currency::HKD);
        for refused in [r#""XAU""#, r#""""#, "156", "null", r#"["CNY"]"#] {
            assert!(serde_json::from_str::<Currency>(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_currency_is_one_byte_and_prints_as_its_code() {
        assert_eq!(size_of::<Option<Currency>>(), 1);
        assert_eq!(
            format!("{} {:?} [{:>5}]", Currency::CNY, Currency::USD, Currency::JPY),
            "CNY USD [  JPY]"
        );
        assert_eq!((Currency::CNY.name_zh(), Currency::CNY.name_en()), ("人民币", "Chinese yuan"));
    }

    #[test]
    fn the_schema_is_a_string_with_a_pattern() {
        let schema = schemars::schema_for!(Currency);
        assert_eq!(schema.get("type"), Some(&"string".into()));
        assert_eq!(schema.get("pattern"), Some(&"^[A-Za-z]{3}$".into()));
    }
}
