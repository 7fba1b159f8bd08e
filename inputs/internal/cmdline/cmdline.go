// Package cmdline is what exec and sfilter share: how a command is written in the configuration, and the
// surroundings it runs in.
package cmdline

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"catpaw/internal/command"
	"catpaw/internal/config"

	"github.com/kballard/go-shellquote"
)

// Parse returns the arguments of a command. A string is split as a shell would split it; no shell runs it.
func Parse(c config.Command) ([]string, error) {
	argv := c.Argv
	if c.Line != "" {
		var err error
		if argv, err = shellquote.Split(c.Line); err != nil {
			return nil, fmt.Errorf("%s: close it, or write the command as an array of arguments", strings.ToLower(err.Error()))
		}
	}
	if len(argv) == 0 || argv[0] == "" {
		return nil, errors.New("it is empty: write a command")
	}
	for _, arg := range argv {
		if strings.ContainsRune(arg, 0) {
			return nil, errors.New("an argument holds a NUL byte, which no command can be given")
		}
	}
	return argv, nil
}

// shellWords are what a shell would make something of.
var shellWords = []string{"|", "||", "&&", ";", "&", ">", ">>", "<", "2>", "2>&1", ">/dev/null", "2>/dev/null"}

// ShellWarning tells of a command line that looks as if a shell were to run it; "" where it does not.
func ShellWarning(c config.Command) string {
	argv, _ := shellquote.Split(c.Line)
	for _, word := range argv {
		if slices.Contains(shellWords, word) {
			return fmt.Sprintf(`no shell runs this, so %q is an argument as any other; for a shell write ["/bin/sh", "-c", "…"]`, word)
		}
	}
	return ""
}

// Options are the surroundings of a command. Embed them in a probe's options.
type Options struct {
	// table of variables added to the agent's environment; `"@/path"` reads a value from a file
	Env map[string]config.Secret `toml:"env"`
	// run as this user, with its groups, `HOME`, `USER` and `LOGNAME`; needs root. Default: the agent's.
	User string `toml:"user"`
	// absolute; globs and `./paths` start there. Default: the agent's.
	WorkingDir string `toml:"working_dir"`

	user *command.User // nil = as the agent
}

// Prepare judges the options.
func (o *Options) Prepare() error {
	var errs []error
	if o.WorkingDir != "" && !filepath.IsAbs(o.WorkingDir) {
		errs = append(errs, config.Field("working_dir", "%q must be an absolute path", o.WorkingDir))
	}
	for _, name := range slices.Sorted(maps.Keys(o.Env)) {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			errs = append(errs, config.Field("env", "%q cannot be the name of a variable", name))
		}
		if strings.ContainsRune(o.Env[name].Reveal(), 0) {
			errs = append(errs, config.Field("env."+name, "the value must not hold a NUL byte"))
		}
	}
	if o.User != "" {
		user, err := command.LookupUser(o.User)
		if err != nil {
			errs = append(errs, config.Field("user", "%v", err))
		}
		o.user = user
	}
	return errors.Join(errs...)
}

// Spec is how to run a command in these surroundings.
func (o *Options) Spec(argv []string) command.Spec {
	extra := make([]string, 0, len(o.Env))
	for name, value := range o.Env {
		extra = append(extra, name+"="+value.Reveal())
	}
	return command.Spec{Argv: argv, Env: command.Environ(os.Environ(), o.user, extra...), Dir: o.WorkingDir, User: o.user}
}

// RunAs names the user for whoever wants to run a command by hand.
func (o *Options) RunAs() string {
	if o.User == "" {
		return "the agent's user"
	}
	return o.User
}

// Target is a command as a person would type it, on one line.
func Target(argv []string) string { return shellquote.Join(argv...) }
