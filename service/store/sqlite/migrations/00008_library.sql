-- The image library: descriptions of images, each on the shelf of an owner, or of the
-- site (an empty owner). Which workspaces are made of them is in these.

-- +goose Up
CREATE TABLE library_image (
    owner   TEXT NOT NULL,
    name    TEXT NOT NULL,
    version TEXT NOT NULL,
    image   TEXT NOT NULL, -- JSON
    PRIMARY KEY (owner, name, version)
) STRICT, WITHOUT ROWID;
