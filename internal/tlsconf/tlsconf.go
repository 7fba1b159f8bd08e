// Package tlsconf holds the TLS options that probes and outputs share.
package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"

	"catpaw/internal/config"
)

// Options are the client's side of TLS. Embed it in an option struct.
type Options struct {
	// PEM file of the authorities to trust. Default: the system's.
	CA string `toml:"tls_ca"`
	// PEM file of our own certificate
	Cert string `toml:"tls_cert"`
	// PEM file of its key
	Key string `toml:"tls_key"`
	// name to expect in the certificate. Default: the host that is asked.
	ServerName string `toml:"tls_server_name"`
	// believe any certificate
	InsecureSkipVerify bool `toml:"insecure_skip_verify"`
}

// Config reads the files and makes the TLS configuration. Its errors are config.FieldErrors.
func (o Options) Config() (*tls.Config, error) {
	var errs []error
	cfg := &tls.Config{ServerName: o.ServerName, InsecureSkipVerify: o.InsecureSkipVerify}
	if o.CA != "" {
		pem, err := os.ReadFile(o.CA)
		pool := x509.NewCertPool()
		switch {
		case err != nil:
			errs = append(errs, config.Field("tls_ca", "%v", err))
		case !pool.AppendCertsFromPEM(pem):
			errs = append(errs, config.Field("tls_ca", "%s holds no PEM certificate", o.CA))
		default:
			cfg.RootCAs = pool
		}
	}
	switch {
	case o.Cert != "" && o.Key != "":
		pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
		if err != nil {
			errs = append(errs, config.Field("tls_cert", "%v", err))
		}
		cfg.Certificates = []tls.Certificate{pair}
	case o.Cert != "":
		errs = append(errs, config.Field("tls_cert", "needs tls_key beside it"))
	case o.Key != "":
		errs = append(errs, config.Field("tls_key", "needs tls_cert beside it"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return cfg, nil
}
