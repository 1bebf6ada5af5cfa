-- Addresses that are kept from being leased, with the reason.

-- +goose Up
CREATE TABLE hold (
    hold TEXT PRIMARY KEY, -- association and first address
    data TEXT NOT NULL     -- JSON
) STRICT, WITHOUT ROWID;
