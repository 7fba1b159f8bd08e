// Package samples holds the configuration that ships, for catpaw init.
package samples

import "embed"

// Files are this directory: config.toml and a directory for each probe.
//
//go:embed *.toml p.*/*.toml
var Files embed.FS
