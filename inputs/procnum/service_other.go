//go:build !windows

package procnum

import (
	"context"
	"errors"
)

func askServiceManager(context.Context, string) (service, error) {
	return service{}, errors.New("only Windows has a service manager")
}
