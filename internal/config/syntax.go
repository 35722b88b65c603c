package config

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	goccy "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// maxNesting bounds the brackets of a file that a second parser is asked about, which follows them by recursion.
const maxNesting = 1000

// expansion recognises what a shell or a template would replace.
var expansion = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}|\$\([^)]*\)|\{\{[^}]*\}\}`)

// syntaxProblem says where a document stops being YAML and what to do about it. The parser that reads the file names a line that lies before the mistake, often
// far before; so the place is looked for by a second parser, and by a scan for what was opened and not closed.
func syntaxProblem(name string, data []byte, message string, line int) *Problem {
	p := &Problem{File: name, Line: line, Column: min(line, 1), Message: "is not YAML: " + message}
	if bad := invalidUTF8(data); bad >= 0 {
		p.Line, p.Column = position(data, bad)
		p.Message = fmt.Sprintf("the byte 0x%02x is not UTF-8; save the file as UTF-8 text", data[bad])
		return p
	}
	if bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) < maxNesting {
		_, err := parser.ParseBytes(data, 0)
		if syntax, ok := errors.AsType[*goccy.SyntaxError](err); ok && syntax.Token != nil && syntax.Token.Position != nil {
			p.Line, p.Column = syntax.Token.Position.Line, syntax.Token.Position.Column
		}
	}
	explain(p, data)
	return p
}

// explain names the usual mistakes by their remedy, and moves the problem to where what is not closed was opened.
func explain(p *Problem, data []byte) {
	text := lineOf(data, p.Line)
	indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
	unclosed := scanUnclosed(data, p.Line)
	switch {
	case strings.Contains(indent, "\t"):
		p.Column = strings.Index(text, "\t") + 1
		p.Message = "is indented with a tab, which YAML does not allow; indent with spaces"
	case expansion.MatchString(text):
		p.Column = expansion.FindStringIndex(text)[0] + 1
		p.Message = "variables are not expanded in this file; a secret is named by {env: NAME} or {file: PATH}, anything else is written out (or quoted, if it is meant as text)"
	case unclosed.quote > 0:
		p.Line, p.Column = position(data, unclosed.quote-1)
		p.Message = fmt.Sprintf("the quote %c is not closed in its line; close it", data[unclosed.quote-1])
	case unclosed.bracket > 0:
		p.Line, p.Column = position(data, unclosed.bracket-1)
		p.Message = fmt.Sprintf("the bracket %c is not closed; close it, or put a comma between its values", data[unclosed.bracket-1])
	case strings.HasPrefix(p.Message, "is not YAML: an alias"):
	default:
		p.Message = "is not YAML from here on; keys of one section begin in the same column, what is inside of a key begins further to the right, and text with a colon is put in quotes"
	}
}

// unclosed are the offsets plus one, 0 for none, of a quote that does not end in its line and of the innermost open bracket.
type unclosed struct{ quote, bracket int }

// scanUnclosed reads a document until the end of a line. It knows quotes, brackets and comments, which is enough to find what was forgotten; text in block
// scalars it takes for YAML.
func scanUnclosed(data []byte, until int) unclosed {
	var open []int
	line, lineStart := 1, true
	for i := 0; i < len(data) && line <= until; i++ {
		c := data[i]
		spaced := i == 0 || strings.ContainsRune(" \t\n[{,:", rune(data[i-1]))
		switch {
		case c == '\n':
			line, lineStart = line+1, true
			continue
		case c == '#' && (i == 0 || data[i-1] == ' ' || data[i-1] == '\t' || lineStart):
			for i+1 < len(data) && data[i+1] != '\n' {
				i++
			}
		case (c == '"' || c == '\'') && spaced:
			end := closingQuote(data, i)
			if end < 0 || bytes.IndexByte(data[i:end], '\n') >= 0 {
				return unclosed{quote: i + 1}
			}
			i = end
		case (c == '[' || c == '{') && (spaced || len(open) > 0):
			open = append(open, i)
		case (c == ']' || c == '}') && len(open) > 0:
			open = open[:len(open)-1]
		}
		lineStart = false
	}
	if len(open) == 0 {
		return unclosed{}
	}
	return unclosed{bracket: open[len(open)-1] + 1}
}

// closingQuote is the offset of the quote that closes the one at an offset, -1 if none does.
func closingQuote(data []byte, at int) int {
	quote := data[at]
	for i := at + 1; i < len(data); i++ {
		switch {
		case data[i] == '\\' && quote == '"':
			i++
		case data[i] == quote && quote == '\'' && i+1 < len(data) && data[i+1] == quote:
			i++
		case data[i] == quote:
			return i
		}
	}
	return -1
}

// invalidUTF8 is the offset of the first byte that is no UTF-8, -1 if there is none. Files in UTF-16 begin with a mark that the parser knows.
func invalidUTF8(data []byte) int {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return -1
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return -1
}

// position is the line and column, counted from 1, of an offset.
func position(data []byte, at int) (line, column int) {
	before := data[:at]
	return bytes.Count(before, []byte("\n")) + 1, at - bytes.LastIndexByte(before, '\n')
}

// lineOf is the text of a line, empty if there is none.
func lineOf(data []byte, line int) string {
	for n := 1; n < line; n++ {
		_, rest, ok := bytes.Cut(data, []byte("\n"))
		if !ok {
			return ""
		}
		data = rest
	}
	text, _, _ := bytes.Cut(data, []byte("\n"))
	return string(text)
}
