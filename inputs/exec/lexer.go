package exec

// lexer finds the end of one object, array or string. It can stop and go on at any byte.
type lexer struct {
	depth int
	deep  bool // depth was more than maxDepth
	state lexState
}

type lexState byte

const (
	plain lexState = iota
	inString
	escaped      // behind a backslash in a string
	slash        // behind a slash that may open a comment
	lineComment  // behind //
	blockComment // behind /*
	star         // behind a star in a block comment
)

// scan goes through data and returns how much of it belongs to the value, and whether that is its end.
func (l *lexer) scan(data []byte) (n int, done bool) {
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch l.state {
		case plain, slash:
			switch {
			case c == '"':
				l.state = inString
			case c == '{' || c == '[':
				l.state = plain
				l.depth++
				l.deep = l.deep || l.depth > maxDepth
			case c == '}' || c == ']':
				l.state = plain
				if l.depth--; l.depth <= 0 {
					return i + 1, true
				}
			case c == '/' && l.state == plain:
				l.state = slash
			case c == '/':
				l.state = lineComment
			case c == '*' && l.state == slash:
				l.state = blockComment
			default:
				l.state = plain
			}
		case inString:
			switch c {
			case '\\':
				l.state = escaped
			case '"':
				l.state = plain
				if l.depth == 0 {
					return i + 1, true
				}
			}
		default:
			l.state = l.aside(c)
		}
	}
	return len(data), false
}

// aside is the next state behind a backslash and in comments.
func (l *lexer) aside(c byte) lexState {
	switch {
	case l.state == escaped:
		return inString
	case l.state == lineComment && c == '\n', l.state == star && c == '/':
		return plain
	case l.state == lineComment:
		return lineComment
	case c == '*':
		return star
	}
	return blockComment
}
