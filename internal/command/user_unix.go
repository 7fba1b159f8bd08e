//go:build unix

package command

import (
	"fmt"
	"os"
	osuser "os/user"
	"strconv"
	"syscall"
)

// User is whom a command runs as.
type User struct {
	Name, Home string
	credential *syscall.Credential // nil = the agent's own
}

// LookupUser finds a user by name or number, with all groups. Only root may run commands as somebody
// else; for others it is an error now and not at every run.
func LookupUser(name string) (*User, error) {
	found, err := osuser.Lookup(name)
	if err != nil {
		if found, err = osuser.LookupId(name); err != nil {
			return nil, fmt.Errorf("there is no user %q on this host", name)
		}
	}
	user := &User{Name: found.Username, Home: found.HomeDir}
	if found.Uid == strconv.Itoa(os.Geteuid()) {
		return user, nil
	}
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("only an agent that runs as root can run commands as %q: start it as root, or as that user", name)
	}
	user.credential, err = credentialOf(found)
	return user, err
}

func credentialOf(found *osuser.User) (*syscall.Credential, error) {
	groups, err := found.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("cannot read the groups of %q: %w", found.Username, err)
	}
	credential := &syscall.Credential{Groups: make([]uint32, 0, len(groups))}
	for _, group := range groups {
		id, err := parseID(group)
		if err != nil {
			return nil, err
		}
		credential.Groups = append(credential.Groups, id)
	}
	if credential.Uid, err = parseID(found.Uid); err != nil {
		return nil, err
	}
	credential.Gid, err = parseID(found.Gid)
	return credential, err
}

func parseID(text string) (uint32, error) {
	id, err := strconv.ParseUint(text, 10, 32)
	return uint32(id), err
}
