//! Brazil's national bank holidays, with Carnival's Monday and Tuesday and Corpus Christi; never moved.

use super::{Date, easter};

pub fn is_holiday(date: Date) -> bool {
    let fixed = match date.month_day() {
        101 | 421 | 501 | 907 | 1012 | 1102 | 1115 | 1225 => true,
        1120 => date.year() >= 2024,
        _ => false,
    };
    fixed || matches!(date.since(easter(date.year())), -48 | -47 | -2 | 60)
}
