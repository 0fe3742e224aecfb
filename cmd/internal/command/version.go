package command

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

// Version says which program this is.
type Version struct {
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	ISA      string `json:"isa"`
}

// CurrentVersion is that of the running program.
func CurrentVersion() Version {
	v := Version{
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

// Identity names what this program does: by its revision, or, where no revision has its code, by the digest of the
// program itself.
func (v Version) Identity() (string, error) {
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

// NewVersion is the verb that prints the version of a program.
func NewVersion(program string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print version, revision, platform and instruction set",
		Example: fmt.Sprintf("  %s version\n  %s version --json", program, program),
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := CurrentVersion()
			if asJSON {
				return WriteJSON(cmd.OutOrStdout(), v)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s (%s)\n%s %s, kernels %s\n", program, v.Version, v.Revision, v.Go, v.Platform, v.ISA)
			return Code(Failure, err)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// WriteJSON writes a value as people and programs read it.
func WriteJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return Code(Failure, encoder.Encode(value))
}
