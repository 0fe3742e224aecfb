package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Reference is the page about a program's commands, as their help describes them.
func Reference(title string, root *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", title)
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Hidden || cmd.Name() == "help" || cmd.Name() == "completion" {
			return
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n", cmd.CommandPath(), cmd.Short)
		if cmd.Long != "" {
			fmt.Fprintf(&b, "\n```\n%s\n```\n", cmd.Long)
		}
		if cmd.Example != "" {
			fmt.Fprintf(&b, "\n```\n%s\n```\n", cmd.Example)
		}
		if flags := cmd.LocalFlags().FlagUsages(); flags != "" && cmd.Runnable() {
			fmt.Fprintf(&b, "\n```\n%s```\n", stable(flags))
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
	return b.String()
}

// stable takes out of the flags' help what depends on the machine.
func stable(flags string) string {
	var b strings.Builder
	for line := range strings.Lines(flags) {
		i := strings.Index(line, "(default ")
		if i >= 0 && (strings.Contains(line, "--workers") || strings.Contains(line, "--jobs")) {
			line = line[:i] + "(default: all cores)\n"
		}
		b.WriteString(line)
	}
	return b.String()
}
