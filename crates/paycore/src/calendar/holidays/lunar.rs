//! Days of the Chinese calendar in ours.

use super::Date;

/// The last year of the table.
pub const KNOWN_UNTIL: i32 = 2050;
const FIRST: i32 = 2004;

/// The lunar festivals of one of our years.
pub struct Lunar {
    /// First day of the first month.
    pub new_year: Date,
    /// Eighth day of the fourth month.
    pub buddha: Date,
    /// Fifth day of the fifth month.
    pub dragon_boat: Date,
    /// Fifteenth day of the eighth month.
    pub mid_autumn: Date,
    /// Ninth day of the ninth month.
    pub double_ninth: Date,
}

/// The festivals of a year of the table.
pub fn year(year: i32) -> Option<Lunar> {
    let row = TABLE.get(usize::try_from(year - FIRST).ok()?)?;
    let [new_year, buddha, dragon_boat, mid_autumn, double_ninth] =
        row.map(|month_day| Date::of(year, (month_day / 100) as u8, (month_day % 100) as u8));
    Some(Lunar { new_year, buddha, dragon_boat, mid_autumn, double_ninth })
}

/// Tomb-sweeping day: the sun at 15 degrees, 4 or 5 April; good until 2099.
pub fn qingming(year: i32) -> Date {
    let in_century = year.rem_euclid(100);
    Date::of(year, 4, ((48_100 + 2_422 * in_century) / 10_000 - in_century / 4) as u8)
}

/// One row a year from [`FIRST`] on, in the order of [`Lunar`].
#[rustfmt::skip]
const TABLE: [[u16; 5]; (KNOWN_UNTIL - FIRST + 1) as usize] = [
    [122, 526, 622, 928, 1022],
    [209, 515, 611, 918, 1011],
    [129, 505, 531, 1006, 1030],
    [218, 524, 619, 925, 1019],
    [207, 512, 608, 914, 1007],
    [126, 502, 528, 1003, 1026],
    [214, 521, 616, 922, 1016],
    [203, 510, 606, 912, 1005],
    [123, 428, 623, 930, 1023],
    [210, 517, 612, 919, 1013],
    [131, 506, 602, 908, 1002],
    [219, 525, 620, 927, 1021],
    [208, 514, 609, 915, 1009],
    [128, 503, 530, 1004, 1028],
    [216, 522, 618, 924, 1017],
    [205, 512, 607, 913, 1007],
    [125, 430, 625, 1001, 1025],
    [212, 519, 614, 921, 1014],
    [201, 508, 603, 910, 1004],
    [122, 526, 622, 929, 1023],
    [210, 515, 610, 917, 1011],
    [129, 505, 531, 1006, 1029],
    [217, 524, 619, 925, 1018],
    [206, 513, 609, 915, 1008],
    [126, 502, 528, 1003, 1026],
    [213, 520, 616, 922, 1016],
    [203, 509, 605, 912, 1005],
    [123, 528, 624, 1001, 1024],
    [211, 516, 612, 919, 1012],
    [131, 506, 601, 908, 1001],
    [219, 525, 620, 927, 1020],
    [208, 515, 610, 916, 1009],
    [128, 503, 530, 1004, 1027],
    [215, 522, 618, 924, 1017],
    [204, 511, 607, 913, 1007],
    [124, 430, 527, 1002, 1026],
    [212, 518, 614, 920, 1014],
    [201, 507, 603, 910, 1003],
    [122, 526, 622, 928, 1022],
    [210, 516, 611, 917, 1011],
    [130, 505, 531, 1005, 1029],
    [217, 524, 619, 925, 1018],
    [206, 513, 608, 915, 1008],
    [126, 502, 529, 1004, 1027],
    [214, 520, 615, 922, 1016],
    [202, 509, 604, 911, 1005],
    [123, 528, 623, 930, 1024],
];
