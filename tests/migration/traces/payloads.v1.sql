CREATE TABLE dictionaries (id INTEGER PRIMARY KEY, data BLOB NOT NULL);

CREATE TABLE payloads (id INTEGER PRIMARY KEY, body BLOB NOT NULL);

CREATE VIRTUAL TABLE texts USING fts5(
             text, content='', contentless_delete=1, detail=none,
             tokenize='unicode61 remove_diacritics 2');

