-- A message that was delivered in the moment in which its subscription was removed
-- could stay behind, and kept the record from being opened.

-- +goose Up
DELETE FROM outbox WHERE subscription NOT IN (SELECT id FROM subscription);
