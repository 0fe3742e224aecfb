package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"taolab/report"
	"taolab/scenarios"
	"taolab/sim/trace"
)

var duckdb = flag.Bool("duckdb", false, "ask the documented queries in DuckDB, which npm installs for the test")

// duckdbPackage is what npm installs.
const duckdbPackage = "@duckdb/node-api@1.5.6-r.1"

// documentedQueries are the sql blocks of the page of queries.
func documentedQueries(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "queries.md"))
	if err != nil {
		t.Fatal(err)
	}
	var queries []string
	for _, block := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		queries = append(queries, block[1])
	}
	if len(queries) != 10 {
		t.Fatalf("%d queries; the page promises ten", len(queries))
	}
	return queries
}

// TestTheDocumentedQueriesNameRealColumns holds tables, and columns behind a table's alias, against
// the schema.
func TestTheDocumentedQueriesNameRealColumns(t *testing.T) {
	source := regexp.MustCompile(`'runs/mine/(\w+)\.parquet'(?: ([a-z]+))?`)
	for _, query := range documentedQueries(t) {
		columns := 0
		for _, from := range source.FindAllStringSubmatch(query, -1) {
			if !slices.Contains(report.Tables(), trace.Table(from[1])) {
				t.Errorf("no table is called %s:\n%s", from[1], query)
				continue
			}
			if from[2] == "" {
				continue
			}
			for _, use := range regexp.MustCompile(`\b`+from[2]+`\."?(\w+)`).FindAllStringSubmatch(query, -1) {
				columns++
				if !slices.ContainsFunc(report.Columns(trace.Table(from[1])), func(c report.Column) bool { return c.Name == use[1] }) {
					t.Errorf("table %s has no column %s:\n%s", from[1], use[1], query)
				}
			}
		}
		if columns == 0 && !strings.Contains(query, "WITH") {
			t.Errorf("no column is checked:\n%s", query)
		}
	}
}

// TestDuckDBAnswersTheDocumentedQueries asks them of a run in which all happens that they ask about, and
// compares their answers with the summary's numbers and with plain twins.
func TestDuckDBAnswersTheDocumentedQueries(t *testing.T) {
	if !*duckdb {
		t.Skip("needs node, npm and the network; run it with: go test ./cmd/taolab -run DuckDB -duckdb")
	}
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	queries := documentedQueries(t)
	t.Chdir(t.TempDir())
	text, err := scenarios.Text("newcomers")
	if err != nil {
		t.Fatal(err)
	}
	text += "\n[[applications]]\ncount = 3\nstake_tao = [1, 1000]\nsession_s = 60\nprompt = 8\ntopk = 36\npeers = 2\n"
	if err := os.WriteFile("mine.toml", []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := execute(t.Context(), []string{"run", "mine.toml", "--out", "runs/mine", "--figures=false", "--set", "time.hours=4"},
		&stdout, &stderr); code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	run, err := report.Open("runs/mine")
	if err != nil {
		t.Fatal(err)
	}
	summary, err := report.Summarise(run)
	if err != nil {
		t.Fatal(err)
	}
	answers := askDuckDB(t, queries)
	for i, rows := range answers {
		if len(rows) == 0 {
			t.Errorf("no rows:\n%s", queries[i])
		}
	}
	same := func(what string, got float64, metric string, scale float64) {
		t.Helper()
		want, ok := summary.Metric(metric)
		if want *= scale; !ok || !(math.Abs(got-want) <= 1e-6*math.Abs(want)) {
			t.Errorf("%s: %.12g, the summary's %s has %.12g", what, got, metric, want)
		}
	}
	for _, row := range answers[0] {
		same("earned", row["earned_tao"].(float64), "group."+row["group"].(string)+".earned_rao", 1e-9)
	}
	same("correlation", answers[2][0]["spearman"].(float64), "spearman.loss_incentive", 1)
	questions, read := 0.0, 0.0
	for _, row := range answers[5] {
		questions += row["questions"].(float64)
		if row["code"] == "Success" {
			read += row["questions"].(float64)
		}
	}
	same("questions", questions, "query.count", 1)
	same("answers", read/questions, "query.success", 1)
	pruned := 0.0
	for _, row := range answers[7] {
		if row["end"] == "pruned" && row["successor"] != nil {
			pruned++
		}
	}
	same("seats that changed hands", pruned, "seats.changes", 1)
	for _, w := range twins {
		w.compare(t, queries[w.query], answers[w.query], run)
	}
}

// askDuckDB returns the rows of each query: a value by column, numbers as float64.
func askDuckDB(t *testing.T, queries []string) [][]map[string]any {
	t.Helper()
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", duckdbPackage)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm install %s: %v: %s; install node and npm, as with apt-get install npm", duckdbPackage, err, out)
	}
	script := `const { DuckDBInstance } = require('@duckdb/node-api');
(async () => {
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  const answers = [];
  for (const sql of process.argv.slice(2)) answers.push((await db.runAndReadAll(sql)).getRowObjects());
  console.log(JSON.stringify(answers, (_, v) => typeof v === 'bigint' ? Number(v) : v));
})().catch(e => { console.error(e.message); process.exit(1); });
`
	if err := os.WriteFile("ask.js", []byte(script), 0o666); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("node", append([]string{"ask.js"}, queries...)...).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var answers [][]map[string]any
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatal(err)
	}
	return answers
}
