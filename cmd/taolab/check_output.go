package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"taolab/report"
)

// checkOutput says what became of scenarios: lines for people, JSON, JUnit XML, annotations.
type checkOutput struct {
	checkFlags
	stdout, stderr io.Writer
}

// line prints the one line of a scenario that has ended.
func (o checkOutput) line(c *checked) {
	if o.json {
		return
	}
	text := fmt.Sprintf("%-7s %s  %d/%d  %.1f s", c.Status, c.Scenario, c.Met, len(c.Lines), c.Seconds)
	if c.Updated > 0 {
		text += fmt.Sprintf("  digests rewritten: %d", c.Updated)
	}
	if i := c.firstFailed(); i >= 0 {
		text += "  " + c.describe(i)
	} else if c.err != nil {
		text += "  " + firstLine(c.Fault)
	}
	fmt.Fprintln(o.stdout, text)
}

func (c *checked) firstFailed() int {
	for i, v := range c.Verdicts {
		if !v.Met {
			return i
		}
	}
	return -1
}

func (c *checked) describe(i int) string { return verdictText(c.Verdicts[i]) }

// verdictText says what was expected and what was found.
func verdictText(v report.Verdict) string {
	text := v.Expectation.String()
	if v.Expectation.Digest != "" {
		text += " " + v.Want
	}
	text += ": have " + v.Have
	if v.Expectation.Name != "" {
		text = v.Expectation.Name + ": " + text
	}
	return oneLine(text)
}

// oneLine joins the lines that the name of an expectation may have.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// finish prints what comes after the lines and writes the files.
func (o checkOutput) finish(list []*checked) error {
	var errs []error
	if o.json {
		errs = append(errs, writeJSON(o.stdout, list))
	} else {
		errs = append(errs, o.details(list))
	}
	if o.github {
		to := o.stdout
		if o.json {
			to = o.stderr // what goes to standard output is JSON and nothing else
		}
		errs = append(errs, annotate(to, list), summarise(os.Getenv("GITHUB_STEP_SUMMARY"), list))
	}
	if o.junit != "" {
		errs = append(errs, writeJUnit(o.junit, list))
	}
	return errors.Join(errs...)
}

// details tells, of every scenario that failed, what each failed expectation wanted and had.
func (o checkOutput) details(list []*checked) error {
	var b strings.Builder
	for _, c := range list {
		if c.Status == statusOK {
			continue
		}
		fmt.Fprintf(&b, "\n%s %s\n", c.Status, c.Scenario)
		if c.err != nil {
			fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(c.Fault, "\n", "\n  "))
		}
		digests := false
		for i, v := range c.Verdicts {
			if !v.Met {
				fmt.Fprintf(&b, "  line %d: %s\n", c.Lines[i], c.describe(i))
				digests = digests || v.Expectation.Digest != ""
			}
		}
		if c.RunDigest != "" {
			fmt.Fprintf(&b, "  seed %d, run digest %s\n", c.Seed, c.RunDigest)
		}
		if c.Folder != "" && c.RunDigest != "" {
			fmt.Fprintf(&b, "  the run is in %s\n", c.Folder)
		}
		if digests {
			fmt.Fprintf(&b, "  to see what moved, compare with a run of the version before: taolab diff RUN_A RUN_B\n"+
				"  where it should have moved: taolab check %s --update\n", c.Scenario)
		}
	}
	_, err := io.WriteString(o.stdout, b.String())
	return err
}

// annotate prints GitHub's workflow commands, which mark lines of the scenario files.
func annotate(w io.Writer, list []*checked) error {
	var b strings.Builder
	say := func(file string, line int, title, text string) {
		place := ""
		if strings.HasSuffix(file, ".toml") {
			place = fmt.Sprintf("file=%s,line=%d,", property(workspacePath(file)), max(line, 1))
		}
		fmt.Fprintf(&b, "::error %stitle=%s::%s\n", place, property(title), message(text))
	}
	for _, c := range list {
		for i, v := range c.Verdicts {
			if !v.Met {
				say(c.Scenario, c.Lines[i], "expectation not met", c.describe(i))
			}
		}
		if c.err == nil {
			continue
		}
		for _, text := range strings.Split(c.Fault, "\n") {
			line := 1
			if m := faultLine.FindStringSubmatch(strings.TrimPrefix(text, c.Scenario)); m != nil {
				line, _ = strconv.Atoi(m[1])
			}
			say(c.Scenario, line, c.Status, text)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// faultLine finds the line in what is left of an error after the file's name.
var faultLine = regexp.MustCompile(`^:(\d+):`)

// workspacePath makes a path relative to the repository, as annotations want it.
func workspacePath(path string) string {
	root := os.Getenv("GITHUB_WORKSPACE")
	full, err := filepath.Abs(path)
	if root == "" || err != nil {
		return path
	}
	if rel, err := filepath.Rel(root, full); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}

var (
	message  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace
)

// summarise appends a table to the summary page of a GitHub job; no path, no table.
func summarise(path string, list []*checked) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("| scenario | result | met | seconds | run digest |\n| --- | --- | --- | --- | --- |\n")
	for _, c := range list {
		fmt.Fprintf(&b, "| %s | %s | %d/%d | %.1f | `%.16s` |\n",
			c.Scenario, c.Status, c.Met, len(c.Lines), c.Seconds, c.RunDigest)
	}
	_, err = f.WriteString(b.String())
	return errors.Join(err, f.Close())
}

// The elements of JUnit's XML that its readers agree on.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Time       string          `xml:"time,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string      `xml:"classname,attr"`
		Name    string      `xml:"name,attr"`
		File    string      `xml:"file,attr,omitempty"`
		Line    int         `xml:"line,attr,omitempty"`
		Time    string      `xml:"time,attr"`
		Failure *junitFault `xml:"failure"`
		Error   *junitFault `xml:"error"`
	}
	junitFault struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// junit is the results as a suite a scenario and a case an expectation. The time of the run is the
// first case's. A scenario without verdicts has one case, which is an error.
func junit(list []*checked) junitSuites {
	var all junitSuites
	total := 0.0
	for _, c := range list {
		suite := junitSuite{Name: c.Scenario, Time: fmt.Sprintf("%.3f", c.Seconds), Properties: []junitProperty{
			{"seed", strconv.FormatUint(c.Seed, 10)}, {"run_digest", c.RunDigest},
			{"version", currentVersion().Revision},
		}}
		file := ""
		if strings.HasSuffix(c.Scenario, ".toml") {
			file = workspacePath(c.Scenario)
		}
		for i, v := range c.Verdicts {
			one := junitCase{Class: c.Scenario, Name: caseName(v, i), File: file, Line: c.Lines[i], Time: "0.000"}
			if i == 0 {
				one.Time = suite.Time
			}
			if !v.Met {
				suite.Failures++
				text := fmt.Sprintf("want %s\nhave %s", v.Want, v.Have)
				one.Failure = &junitFault{c.describe(i), "expectation", text}
			}
			suite.Cases = append(suite.Cases, one)
		}
		if c.err != nil {
			suite.Errors++
			suite.Cases = append(suite.Cases, junitCase{Class: c.Scenario, Name: "run", File: file, Time: suite.Time,
				Error: &junitFault{firstLine(c.Fault), c.Status, c.Fault}})
		}
		suite.Tests = len(suite.Cases)
		total += c.Seconds
		all.Tests += suite.Tests
		all.Failures += suite.Failures
		all.Errors += suite.Errors
		all.Suites = append(all.Suites, suite)
	}
	all.Time = fmt.Sprintf("%.3f", total)
	return all
}

// caseName tells the cases of a suite apart, also two that expect the same.
func caseName(v report.Verdict, i int) string {
	name := v.Expectation.String()
	if v.Expectation.Name != "" {
		name = v.Expectation.Name
	}
	return fmt.Sprintf("%d: %s", i+1, oneLine(name))
}

func writeJUnit(path string, list []*checked) error {
	text, err := xml.MarshalIndent(junit(list), "", "  ")
	if err != nil {
		return fmt.Errorf("--junit %s: %w", path, err)
	}
	if err := os.WriteFile(path, append([]byte(xml.Header), append(text, '\n')...), 0o644); err != nil {
		return fmt.Errorf("--junit %s: %w", path, err)
	}
	return nil
}
