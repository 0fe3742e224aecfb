package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Explain makes a command and all below it say what was expected where the command line is wrong. Elsewhere
// says, for verbs that other programs have, where to find it in this one.
func Explain(root *cobra.Command, elsewhere map[string]string) {
	u := usage{elsewhere}
	u.explain(root)
	u.help(root)
	root.SetFlagErrorFunc(flagError)
}

type usage struct{ elsewhere map[string]string }

func (u usage) explain(cmd *cobra.Command) {
	if cmd.HasSubCommands() && !strings.Contains(cmd.Use, " ") { // but sweep takes a scenario too
		cmd.Args = u.verb
		if cmd.Run == nil && cmd.RunE == nil {
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	} else if accepts := cmd.Args; accepts != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := noneEmpty(cmd, args); err != nil {
				return err
			}
			if accepts(cmd, args) == nil {
				return nil
			}
			return fmt.Errorf("%s: found %s; expected: %s; %s --help has examples",
				cmd.Name(), CountOf(args), cmd.UseLine(), cmd.CommandPath())
		}
	}
	for _, below := range cmd.Commands() {
		u.explain(below)
	}
}

// help makes help refuse a topic that does not exist, which cobra answers with the help of the root.
func (u usage) help(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, help := range root.Commands() {
		if help.Name() != "help" {
			continue
		}
		help.Args = func(_ *cobra.Command, args []string) error {
			found, rest, _ := root.Find(args)
			if len(rest) == 0 {
				return nil
			}
			return fmt.Errorf("help: no command or topic %q; %s", strings.Join(args, " "), u.hint(found, rest[0]))
		}
	}
}

// CountOf says how many arguments there are.
func CountOf(args []string) string {
	switch len(args) {
	case 0:
		return "no argument"
	case 1:
		return fmt.Sprintf("one argument, %q", args[0])
	}
	return fmt.Sprintf("%d arguments", len(args))
}

// noneEmpty refuses an empty argument and an empty value of a flag: a shell makes one of a variable that
// is not set. An empty text to continue is one.
func noneEmpty(cmd *cobra.Command, args []string) error {
	if slices.Contains(args, "") {
		return fmt.Errorf("%s: an argument is empty; expected: %s; is a variable of the shell unset?", cmd.Name(), cmd.UseLine())
	}
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Value.String() == "" && f.Name != "prompt" {
			err = fmt.Errorf("--%s: the value is empty; expected %s; is a variable of the shell unset?", f.Name, purpose(f))
		}
	})
	return err
}

// verb refuses what is not a verb of a command.
func (u usage) verb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("unknown command %q for %q; %s", args[0], cmd.CommandPath(), u.hint(cmd, args[0]))
}

// hint says what was perhaps meant: the verb itself under another command, one that is spelled alike, or
// another way.
func (u usage) hint(cmd *cobra.Command, name string) string {
	var meant []string
	var look func(*cobra.Command)
	look = func(c *cobra.Command) {
		if c.Name() == name && c.IsAvailableCommand() {
			meant = append(meant, c.CommandPath())
		}
		for _, below := range c.Commands() {
			look(below)
		}
	}
	look(cmd.Root())
	if len(meant) == 0 {
		if other, ok := u.elsewhere[name]; ok {
			return other
		}
		if cmd.SuggestionsMinimumDistance = 2; !cmd.DisableSuggestions {
			for _, like := range cmd.SuggestionsFor(name) {
				meant = append(meant, cmd.CommandPath()+" "+like)
			}
		}
	}
	if len(meant) == 0 {
		return cmd.CommandPath() + " --help lists what there is"
	}
	return "did you mean " + strings.Join(meant, " or ") + "?"
}

// flagError says what a flag expects.
func flagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		bare    *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("unknown flag: %s; %s", dashed(unknown.GetSpecifiedName()), flagHint(cmd, unknown.GetSpecifiedName()))
	case errors.As(err, &bare):
		return fmt.Errorf("--%s: no value; expected %s", bare.GetFlag().Name, purpose(bare.GetFlag()))
	case !errors.As(err, &invalid):
		return fmt.Errorf("%w; expected --flag or --flag=value; %s --help lists the flags", err, cmd.CommandPath())
	}
	expected := ""
	switch invalid.GetFlag().Value.Type() {
	case "int":
		expected = "expected a whole number"
	case "uint64":
		expected = "expected a whole number from 0 on"
	case "float64":
		expected = "expected a number"
	case "bool":
		expected = "expected true or false"
	case "duration":
		expected = "expected a time such as 90s or 10m"
	default:
		expected = invalid.Unwrap().Error()
	}
	return fmt.Errorf("--%s %q: %s", invalid.GetFlag().Name, invalid.GetValue(), expected)
}

// purpose is what the help says of a flag's value.
func purpose(f *pflag.Flag) string {
	_, usage := pflag.UnquoteUsage(f)
	return usage
}

// dashed is a flag as it is typed.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// flagHint names the flag that begins like an unknown one, or how to find all.
func flagHint(cmd *cobra.Command, name string) string {
	meant := ""
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if len(name) > 1 && (strings.HasPrefix(f.Name, name) || strings.HasPrefix(name, f.Name)) {
			meant = "did you mean " + dashed(f.Name) + "?"
		}
	})
	if meant == "" {
		return cmd.CommandPath() + " --help lists the flags"
	}
	return meant
}
