-- What an attempt says of its card, as JSON: token or stored card, brand and last four digits. Never the number.

ALTER TABLE attempts ADD COLUMN card TEXT;
