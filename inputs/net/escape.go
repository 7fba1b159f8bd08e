package net

import (
	"fmt"
	"strconv"
)

// escapes are what may follow a backslash in send and expect, beside xHH.
var escapes = map[byte]byte{'r': '\r', 'n': '\n', 't': '\t', '0': 0, '\\': '\\', '"': '"', '\'': '\''}

// unescape resolves \r \n \t \0 \\ \" \' and \xHH. In TOML they are written in '…' or with a doubled backslash.
func unescape(text string) ([]byte, error) {
	plain := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			plain = append(plain, text[i])
			continue
		}
		i++
		switch {
		case i == len(text):
			return nil, fmt.Errorf(`ends in a lone backslash; write \\ for one`)
		case text[i] == 'x':
			if i+2 >= len(text) {
				return nil, fmt.Errorf(`%q is cut short; write \xHH with two hexadecimal digits`, text[i-1:])
			}
			value, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
			if err != nil {
				return nil, fmt.Errorf(`%q is no byte; write \xHH with two hexadecimal digits`, text[i-1:i+3])
			}
			plain = append(plain, byte(value))
			i += 2
		default:
			value, known := escapes[text[i]]
			if !known {
				return nil, fmt.Errorf(`unknown escape \%c; known: \r \n \t \0 \\ \" \' \xHH`, []rune(text[i:])[0])
			}
			plain = append(plain, value)
		}
	}
	return plain, nil
}
