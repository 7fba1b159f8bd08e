package kafka

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"unicode"

	"github.com/segmentio/kafka-go"

	"catpaw/internal/config"
)

const defaultPort = "9092"

func (o *Output) judgeBrokers() error {
	if len(o.Brokers) == 0 {
		return config.Field("brokers", `they are missing: name one or more as "host:9092"; the others are learnt from them`)
	}
	var errs []error
	for i, text := range o.Brokers {
		broker, err := parseBroker(text)
		if err != nil {
			errs = append(errs, config.Field(fmt.Sprintf("brokers[%d]", i), "%v", err))
		}
		o.Brokers[i] = broker
	}
	return errors.Join(errs...)
}

// parseBroker reads "host:port", "host" and, with the brackets of IPv6, the same of "[::1]".
func parseBroker(text string) (string, error) {
	if strings.Contains(text, "://") {
		return "", errors.New(`it is a URL: write "host:port", and tls = true where the broker speaks TLS`)
	}
	if strings.Contains(text, ",") {
		return "", errors.New(`it holds a comma: write a list, ["one:9092", "two:9092"]`)
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil { // no port, as a rule
		host, port, err = net.SplitHostPort(text + ":" + defaultPort)
	}
	if err != nil || host == "" || port == "" || !config.IsPort(port) || strings.ContainsFunc(host, notInHosts) {
		return "", fmt.Errorf(`%q is not host:port, as in "kafka1:9092" or "[::1]:9092"`, text)
	}
	return net.JoinHostPort(host, port), nil
}

func notInHosts(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`/\@?#"'`, r)
}

// compressions are those of Kafka, in the order of their codes.
var compressions = []string{"none", "gzip", "snappy", "lz4", "zstd"}

func (o *Output) judgeCompression() error {
	code := slices.Index(compressions, o.Compression)
	if code < 0 {
		return config.Field("compression", "%q is not one of %s%s", o.Compression,
			strings.Join(compressions, ", "), config.DidYouMean(o.Compression, compressions))
	}
	o.compression = kafka.Compression(code)
	return nil
}

// judgeClientID keeps to what brokers can have in their metrics and quotas.
func (o *Output) judgeClientID() error {
	const most = 249
	if o.ClientID == "" || len(o.ClientID) > most || strings.ContainsFunc(o.ClientID, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return config.Field("client_id", "%q cannot be one: up to %d printable characters", o.ClientID, most)
	}
	return nil
}

// judgeTLS returns nil for no TLS. Options of TLS that would silently do nothing are errors.
func (o *Output) judgeTLS() (*tls.Config, error) {
	if o.TLS {
		return o.Config()
	}
	var errs []error
	for _, option := range []struct {
		name string
		set  bool
	}{
		{"tls_ca", o.CA != ""}, {"tls_cert", o.Cert != ""}, {"tls_key", o.Key != ""},
		{"tls_server_name", o.ServerName != ""}, {"insecure_skip_verify", o.InsecureSkipVerify},
	} {
		if option.set {
			errs = append(errs, config.Field(option.name, "counts only with tls = true"))
		}
	}
	return nil, errors.Join(errs...)
}
