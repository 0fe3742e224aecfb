package report

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var duckdb = flag.Bool("duckdb", false, "read tables with DuckDB, which npm installs for the test")

// duckdbPackage is what npm installs.
const duckdbPackage = "@duckdb/node-api@1.5.6-r.1"

// askDuckDB runs queries of one number or text each, and returns what they give.
func askDuckDB(t *testing.T, dir string, queries ...string) []string {
	t.Helper()
	script := `const { DuckDBInstance } = require('@duckdb/node-api');
(async () => {
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  for (const sql of process.argv.slice(2)) {
    const rows = (await db.runAndReadAll(sql)).getRows();
    console.log(rows.map(row => row.join(' ')).join(';'));
  }
})().catch(e => { console.error(e.message); process.exit(1); });
`
	if err := os.WriteFile(filepath.Join(dir, "ask.js"), []byte(script), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", append([]string{"ask.js"}, queries...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// TestDuckDBReadsPartsAndTables reads a table while it grows and when it is one file.
func TestDuckDBReadsPartsAndTables(t *testing.T) {
	if !*duckdb {
		t.Skip("needs node, npm and the network; run it with: go test ./report -run DuckDB -duckdb")
	}
	tools := t.TempDir()
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", duckdbPackage)
	install.Dir = tools
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm install %s: %v: %s; install node and npm, as with apt-get install npm", duckdbPackage, err, out)
	}
	dir := t.TempDir()
	w := pieces(t, dir, 2000, 300, 700, 1900)
	if !disk(dir).Exists("blocks.partial") {
		t.Fatal("no rows wait: the test would not show that they disturb nobody")
	}
	parts := fmt.Sprintf("read_parquet('%s/blocks.parts/*')", dir)
	got := askDuckDB(t, tools,
		"SELECT count(*), sum(height), max(time_ns), typeof(any_value(height)) FROM "+parts,
		"SELECT count(digest) > 0 AND count(digest) < count(*) FROM "+parts,
		fmt.Sprintf("COPY (FROM %s) TO '%s/copy.parquet'", parts, tools))
	if got[0] != fmt.Sprintf("1900 %d %d UBIGINT", 1900*1899/2, int64(1899*12e9)) || got[1] != "true" {
		t.Errorf("the parts: %q", got)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	table := fmt.Sprintf("'%s/blocks.parquet'", dir)
	got = askDuckDB(t, tools,
		"SELECT count(*), sum(height) FROM "+table,
		fmt.Sprintf("SELECT count(*) FROM (FROM %s WHERE height < 1900 EXCEPT ALL FROM '%s/copy.parquet')", table, tools))
	if got[0] != fmt.Sprintf("2000 %d", 2000*1999/2) || got[1] != "0" {
		t.Errorf("the table: %q", got)
	}
}
