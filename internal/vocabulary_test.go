package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Code and documents use the terms of Prometheus, DORA, SLSA and application security, and plain technical English otherwise. What follows are
// metaphors that stood for such terms. They are refused, with the term to use.

// refusedWords are words that no identifier of production code contains, and the terms that say it.
var refusedWords = map[string]string{
	"accusation": "attribution", "accuse": "attribute", "charge": "attribution, or count", "court": "attribution", "suspect": "candidate", "testimony": "statement",
	"seat": "slot, or position", "sit": "be at",
	"shelf": "table", "shelves": "tables", "pile": "set, or batch", "roster": "catalog, or list", "stranger": "unknown value",
	"heard": "observed, or received", "unheard": "unobserved", "said": "stated, or the thing itself", "told": "reported, or logged", "tells": "reports", "spoken": "covered", "speaks": "covers",
	"house": "program, or repository", "room": "package, or budget", "door": "entry point", "wing": "package group", "mend": "fix, or remediate",
}

// refusedPhrases are regular expressions of what no document, text of the program or comment holds. They match whole words, whatever the case.
var refusedPhrases = []string{
	`way(s)? through the house`, `rooms of the house`, `at (\w+'s|whose|the|its) door`, `laid at`, `lays? (the )?blame`, `blamed? (on|for|by)`, `thought through`, `deadlines kept`, `known at least`,
	`kept aside`, `speaks? of`, `spoken of`, `mend(s|ed|ing)?`, `shelf|shelves`, `pile(s)? of`, `stranger(s)?`, `heard of`, `court`, `accus(e|es|ed|ation)`, `testimon(y|ies)`, `guilty`,
	`warts`, `took its word back`, `takes its word back`, `keeps coming back`, `whatever became of`, `past (a|the) rules?`,
}

// production reports whether a path is that of Go code that is part of a program, and not generated.
func production(name string) bool {
	return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !strings.Contains(name, "/testdata/")
}

// Words of an identifier begin at a capital after a small letter, and at the last capital of several before a small one.
var (
	afterSmall   = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	afterCapital = regexp.MustCompile(`([A-Z])([A-Z][a-z])`)
)

// refusedIn is the first refused word in an identifier, in singular or plural.
func refusedIn(identifier string) string {
	words := afterCapital.ReplaceAllString(afterSmall.ReplaceAllString(identifier, "${1}_$2"), "${1}_$2")
	for word := range strings.SplitSeq(words, "_") {
		word = strings.ToLower(word)
		for _, form := range []string{word, strings.TrimSuffix(word, "s"), strings.TrimSuffix(word, "d"), strings.TrimSuffix(word, "ed")} {
			if _, refused := refusedWords[form]; refused {
				return form
			}
		}
	}
	return ""
}

func TestRefusedIn(t *testing.T) {
	for identifier, want := range map[string]string{
		"shelfKey": "shelf", "newShelves": "shelves", "Pile": "pile", "maxStrangers": "stranger", "said": "said", "lastCharged": "charge", "HTTPCourt": "court", "mended": "mend",
		"compile": "", "MustCompile": "", "warehouse": "", "bloomRate": "", "visit": "", "swing": "", "recommend": "", "Mode": "",
	} {
		if got := refusedIn(identifier); got != want {
			t.Errorf("%s: %q, want %q", identifier, got, want)
		}
	}
}

// TestIdentifiers holds the names of production code to the terms of the field.
func TestIdentifiers(t *testing.T) {
	for _, name := range files(t, production) {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, filepath.Join(root, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			identifier, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			if word := refusedIn(identifier.Name); word != "" {
				t.Errorf("%s: %s: instead of %q write %s", set.Position(identifier.Pos()), identifier.Name, word, refusedWords[word])
			}
			return true
		})
	}
}

var refusedPhrase = regexp.MustCompile(`(?i)\b(?:` + strings.Join(refusedPhrases, "|") + `)\b`)

// TestPhrases holds documents, code with its comments, pages, rules and boards to the terms of the field.
func TestPhrases(t *testing.T) {
	shown := files(t, func(name string) bool {
		switch filepath.Ext(name) {
		case ".md", ".yml", ".yaml", ".json", ".tmpl", ".html", ".txt":
			return !strings.Contains(name, "/testdata/") && !strings.HasPrefix(name, "e2e/contract/")
		default:
			return production(name)
		}
	})
	for _, name := range shown {
		if name == "internal/record/toolnames.go" { // Mend is a scanner
			continue
		}
		for i, line := range strings.Split(read(t, name), "\n") {
			if phrase := refusedPhrase.FindString(line); phrase != "" {
				t.Errorf("%s:%d: %q is not a term of the field", name, i+1, phrase)
			}
		}
	}
}
