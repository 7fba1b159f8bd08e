package command

import "errors"

// User is whom a command runs as.
type User struct{ Name, Home string }

// LookupUser is not supported on Windows.
func LookupUser(string) (*User, error) {
	return nil, errors.New("commands cannot be run as another user on Windows")
}
