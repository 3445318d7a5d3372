package main

import (
	"database/sql"

	"github.com/rogpeppe/go-internal/testscript"
)

// tamper is the script command "tamper FILE STATEMENT": it changes a book behind
// handstamp's back.
func tamper(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(args[1])
	ts.Check(err)
}
