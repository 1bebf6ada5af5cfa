-- That running time is over and its mechanism was queued, which happens once.

-- +goose Up
ALTER TABLE standing ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;
