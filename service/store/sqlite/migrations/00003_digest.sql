-- What the answered request asked for, to tell a repeated message from another
-- one that wrongly bears its ID. Empty: answered before it was kept.

-- +goose Up
ALTER TABLE answered ADD COLUMN digest TEXT NOT NULL DEFAULT '';
