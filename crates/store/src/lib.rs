//! SQLite and PostgreSQL stores under one SQL text
