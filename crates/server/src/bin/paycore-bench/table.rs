//! The table that is printed.

/// One line.
pub struct Row {
    pub what: String,
    pub measured: String,
    pub limit: String,
    pub result: String,
    pub target: String,
}

#[derive(Default)]
pub struct Table(Vec<Row>);

impl Table {
    /// Shows a line at once and keeps it for the table.
    pub fn add(&mut self, row: Row) {
        eprintln!("{}: {} ({}; target {})", row.what, row.measured, row.result, row.target);
        self.0.push(row);
    }

    pub fn print(&self) {
        println!("| what | measured | limit in the same run | result | target |\n|---|---|---|---|---|");
        for Row { what, measured, limit, result, target } in &self.0 {
            println!("| {what} | {measured} | {limit} | {result} | {target} |");
        }
    }
}

impl From<&paycore_store::bench::Row> for Row {
    fn from(row: &paycore_store::bench::Row) -> Self {
        Row {
            what: format!("{} commits through the store: {}", row.engine, row.load.text()),
            measured: format!("{}/s", row.store),
            limit: format!("bare driver {}/s", row.bare),
            result: format!("{} %", row.percent()),
            target: format!(">= {} %", row.target_percent),
        }
    }
}
