package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"taolab/model/lm/kernel"
)

// version says which program this is.
type version struct {
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	ISA      string `json:"isa"`
}

func currentVersion() version {
	v := version{
		Version: "devel", Revision: unknownRevision, Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, ISA: kernel.Active().String(),
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Revision = setting.Value
		case "vcs.modified":
			if setting.Value == "true" {
				v.Revision += localChanges
			}
		}
	}
	return v
}

// unknownRevision is that of a program which was built outside a checkout, or by go run.
const unknownRevision = "unknown"

// localChanges stands behind the revision of a program that was built of other code.
const localChanges = " with local changes"

// identity names what this program does: by its revision, or, where no revision has its code, by the digest of the
// program itself.
func (v version) identity() (string, error) {
	name := v.Version + " " + v.Revision
	if v.Revision != unknownRevision && !strings.HasSuffix(v.Revision, localChanges) {
		return name, nil
	}
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return fmt.Sprintf("%s, build %x", name, h.Sum(nil)[:8]), nil
}

func newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print version, revision, platform and instruction set",
		Example: `  taolab version
  taolab version --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := currentVersion()
			if asJSON {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				return code(exitFailure, encoder.Encode(v))
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "taolab %s (%s)\n%s %s, kernels %s\n", v.Version, v.Revision, v.Go, v.Platform, v.ISA)
			return code(exitFailure, err)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
