package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"catpaw/agent"
	"catpaw/internal/config"
)

// What the Makefile sets: the version, and the commit with its date.
var version, commit, date = "dev", "", ""

// flags are those of the original, which count for every subcommand that reads a configuration.
type flags struct {
	configs, stateDir, plugins, url, interval, logLevel string
	test, configCheck, version                          bool

	configsNamed func() bool // -configs was given
}

func newRoot() *cobra.Command {
	f := &flags{}
	root := &cobra.Command{
		Use:   "catpaw",
		Short: "Watch one host and tell people when something is wrong",
		Long: `catpaw runs the checks of a configuration directory on this host, decides what must be told,
and sends it to the configured outputs. Without a subcommand it runs until it is stopped.

SIGHUP reads the configuration again; SIGINT, SIGTERM and SIGQUIT stop, a second one at once.
Flags may be written with one dash or two.`,
		Args:          noArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case f.version:
				return printVersion(cmd)
			case f.test:
				return once(cmd, f, false)
			case f.configCheck:
				return check(cmd, f, printVerdict)
			}
			return run(f)
		},
	}
	root.SetFlagErrorFunc(flagError)
	p := root.PersistentFlags()
	p.StringVar(&f.configs, "configs", defaultConfigs(), "configuration `directory`; by default conf.d, or where that is not, "+agent.SystemConfigs)
	f.configsNamed = func() bool { return p.Changed("configs") }
	p.Lookup("configs").DefValue = "" // the text has it
	p.StringVar(&f.stateDir, "state-dir", "", "`directory` of queues and alerts, instead of [global] state_dir")
	p.StringVar(&f.plugins, "plugins", "", "read only these probes, `a:b:c`")
	p.StringVar(&f.url, "url", "", "FlashDuty `URL`, instead of the configured one")
	p.StringVar(&f.interval, "interval", "", "default `seconds` between two runs of a check, instead of [global] interval")
	p.StringVar(&f.logLevel, "loglevel", "", "log `level` instead of [log] level: debug, info, warn, error, fatal")
	complete(root, "loglevel", "debug", "info", "warn", "error", "fatal")
	complete(root, "plugins", agent.Probes()...)
	root.Flags().BoolVar(&f.test, "test", false, "the same as catpaw once")
	root.Flags().BoolVar(&f.configCheck, "config-check", false, "judge the configuration and print a line, for scripts; catpaw check prints more")
	root.Flags().BoolVar(&f.version, "version", false, "print the version")
	root.AddCommand(newRun(f), newCheck(f), newOnce(f), newStatus(f), newWhy(f), newSilence(f), newAck(f), newReload(f), newLogLevel(f), newQueue(f), newSend(f), newInit(), newMigrate(f), newService(f), newVersion())
	groupCobras(root)
	return root
}

// localConfigs is where the configuration is unless somebody says otherwise.
const localConfigs = "conf.d"

// defaultConfigs is conf.d here, or where that is not, that of the installed package.
func defaultConfigs() string { return firstThere(localConfigs, agent.SystemConfigs) }

// firstThere is the first that is there, else the first of all. One that this user may not see is there: who reads it
// is told so, and not that another is missing.
func firstThere(dirs ...string) string {
	for _, dir := range dirs {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			return dir
		}
	}
	return dirs[0]
}

// complete offers the values of a flag to the shell.
func complete(cmd *cobra.Command, flag string, values ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
}

// source is where the flags say that the configuration comes from.
func (f *flags) source() (agent.Source, error) {
	s := agent.Source{Dir: f.configs, StateDir: f.stateDir, URL: f.url, LogLevel: f.logLevel, Vars: agent.HostVars(), Version: version}
	if !f.configsNamed() && f.configs == localConfigs { // so the other is not there, or is not needed
		s.Sought = agent.SystemConfigs
	}
	s.Plugins = strings.FieldsFunc(f.plugins, func(r rune) bool { return r == ':' || r == ',' })
	if f.interval != "" {
		d, err := config.ParseDuration(f.interval)
		if err != nil || d <= 0 {
			return s, fmt.Errorf("-interval: %q is not a number of seconds above 0", f.interval)
		}
		s.Interval = d
	}
	return s, nil
}

// stateDirectory is where the agent of that configuration can be reached.
func (f *flags) stateDirectory() (source agent.Source, dir string, err error) {
	if source, err = f.source(); err == nil {
		dir, err = source.StateDirectory()
	}
	return source, dir, err
}

// load reads and judges the configuration that the flags name.
func (f *flags) load() (*agent.Configuration, error) {
	source, err := f.source()
	if err != nil {
		return nil, err
	}
	return source.Load()
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return printVersion(cmd) },
	}
}

func printVersion(cmd *cobra.Command) error {
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "catpaw %s (%s%s, %s/%s)\n", version, builtFrom(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// builtFrom is the commit and its date, where the build knew them.
func builtFrom() string {
	if commit == "" {
		return ""
	}
	return fmt.Sprintf("commit %s of %s, ", commit, date)
}
