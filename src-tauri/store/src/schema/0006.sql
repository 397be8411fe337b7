-- When each version of the program was first seen to enforce a rule of an account.
CREATE TABLE proofs (
    account_id TEXT NOT NULL REFERENCES account_state (account_id),
    version    TEXT NOT NULL,
    proved_at  TIMESTAMP NOT NULL,
    rule       TEXT NOT NULL,
    PRIMARY KEY (account_id, version)
);
