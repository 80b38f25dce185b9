//! TARGET, the euro's settlement system: six closing days, never moved.

use super::{Date, easter};

pub fn is_holiday(date: Date) -> bool {
    let from_easter = date.since(easter(date.year()));
    matches!(date.month_day(), 101 | 501 | 1225 | 1226) || matches!(from_easter, -2 | 1)
}
