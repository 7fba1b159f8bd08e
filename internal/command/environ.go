package command

import (
	"slices"
	"strings"
)

// serviceVariables speak to the agent's own service manager; a child that had them could speak for it.
var serviceVariables = []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}

// Environ returns the environment of a child: base (normally os.Environ()) without the variables of
// the service manager, then the user's HOME, USER and LOGNAME, then extra as "NAME=value". Later wins.
func Environ(base []string, user *User, extra ...string) []string {
	env := make([]string, 0, len(base)+len(extra)+3)
	for _, entry := range base {
		name, _, _ := strings.Cut(entry, "=")
		if !slices.Contains(serviceVariables, name) {
			env = append(env, entry)
		}
	}
	if user != nil {
		env = append(env, "HOME="+user.Home, "USER="+user.Name, "LOGNAME="+user.Name)
	}
	return append(env, extra...)
}
