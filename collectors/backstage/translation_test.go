package backstage

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

func TestRepositoryPath(t *testing.T) {
	of := func(repository record.RepositoryName, paths ...string) *record.RepositoryPath {
		return &record.RepositoryPath{Repository: repository, Paths: paths}
	}
	for name, tt := range map[string]struct {
		slug, source, managed string
		want                  *record.RepositoryPath
	}{
		"slug alone":               {slug: "Acme/Api", want: of("git.example.com/acme/api")},
		"slug with a host":         {slug: "github.com/acme/api", want: of("git.example.com/acme/api")},
		"host from the location":   {slug: "acme/api", source: "url:https://github.com/acme/api/tree/main/", want: of("acme/api")},
		"folder of source":         {slug: "acme/mono", source: "url:https://github.com/acme/mono/tree/main/services/api/", want: of("acme/mono", "services/api/**")},
		"folder of description":    {slug: "acme/mono", managed: "url:https://github.com/acme/mono/blob/main/services/api/catalog-info.yaml", want: of("acme/mono", "services/api/**")},
		"description at the root":  {slug: "acme/api", managed: "url:https://github.com/acme/api/blob/main/catalog-info.yaml", want: of("acme/api")},
		"hidden folder":            {slug: "acme/api", managed: "url:https://github.com/acme/api/tree/main/.backstage/catalog-info.yaml", want: of("acme/api")},
		"central descriptions":     {slug: "acme/api", source: "url:https://github.com/acme/software-catalog/tree/main/api/", want: of("git.example.com/acme/api")},
		"source alone":             {source: "url:https://github.com/acme/mono/tree/main/web", want: of("acme/mono", "web/**")},
		"source is a file":         {source: "url:https://github.com/acme/mono/blob/main/web/catalog-info.yaml", want: of("acme/mono", "web/**")},
		"source is a repository":   {source: "url:https://github.com/acme/src.git", want: of("acme/src")},
		"repository called tree":   {source: "url:https://github.com/acme/tree/tree/main/web", want: of("acme/tree", "web/**")},
		"GitLab with subgroups":    {source: "url:https://gitlab.example.com/a/src/c/-/tree/main/x/y", want: of("gitlab.example.com/a/src/c", "x/y/**")},
		"Bitbucket":                {source: "url:https://bitbucket.org/acme/mono/src/main/x", want: of("bitbucket.org/acme/mono", "x/**")},
		"description alone":        {managed: "url:https://github.com/acme/software-catalog/blob/main/api.yaml"},
		"a folder of the machine":  {source: "dir:/srv/catalog"},
		"no address":               {source: "url:https://"},
		"not a repository":         {source: "url:https://github.com/acme"},
		"another kind of protocol": {source: "url:ftp://github.com/acme/api"},
		"dots stay inside":         {source: "url:https://github.com/acme/mono/tree/main/../../x", want: of("acme/mono", "x/**")},
		"pattern characters":       {source: "url:https://github.com/acme/mono/tree/main/a%2Ab", want: of("acme/mono", "a?b/**")},
	} {
		got, ok := repositoryPath(map[string]string{annotationGitHub: tt.slug, annotationSource: tt.source, annotationManagedBy: tt.managed}, &Config{GitHubHost: "git.example.com"})
		if ok != (tt.want != nil) || ok && !cmp.Equal(*tt.want, got) {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, ok, tt.want)
		}
	}
}

// TestOtherHosts: what names a repository on GitLab, Azure DevOps and Bitbucket.
func TestOtherHosts(t *testing.T) {
	config := &Config{GitHubHost: "github.com", GitLabHost: "gitlab.com", AzureOrganization: "dev.azure.com/acme"}
	for name, tt := range map[string]struct {
		annotations string
		repository  record.RepositoryName
		folder      string
	}{
		"GitLab":                          {`"gitlab.com/project-slug":"Grp/sub/app"`, "gitlab.com/grp/sub/app", ""},
		"GitLab, of one's own":            {`"gitlab.com/project-slug":"grp/sub/app","gitlab.com/instance":"git.acme.example"`, "git.acme.example/grp/sub/app", ""},
		"GitLab, by an address":           {`"gitlab.com/project-slug":"grp/app","gitlab.com/instance":"https://git.acme.example/"`, "git.acme.example/grp/app", ""},
		"GitLab, its host by location":    {`"gitlab.com/project-slug":"grp/app","backstage.io/source-location":"url:https://git.acme.example/grp/app/-/tree/main/api/"`, "git.acme.example/grp/app", "api/**"},
		"Azure DevOps":                    {`"dev.azure.com/project-repo":"Shop/api"`, "dev.azure.com/acme/shop/api", ""},
		"Azure DevOps, with organisation": {`"dev.azure.com/project-repo":"shop/api","dev.azure.com/host-org":"dev.azure.com/other"`, "dev.azure.com/other/shop/api", ""},
		"Azure DevOps, by location":       {`"backstage.io/source-location":"url:https://dev.azure.com/acme/shop/_git/mono?path=/services/pay&version=GBmain"`, "dev.azure.com/acme/shop/mono", "services/pay/**"},
		"Azure DevOps, whole":             {`"backstage.io/source-location":"url:https://dev.azure.com/acme/shop/_git/mono?path=/"`, "dev.azure.com/acme/shop/mono", ""},
		"Azure DevOps, a description":     {`"dev.azure.com/project-repo":"shop/mono","backstage.io/managed-by-location":"url:https://dev.azure.com/acme/shop/_git/mono?path=/pay/catalog-info.yaml"`, "dev.azure.com/acme/shop/mono", "pay/**"},
		"Bitbucket Cloud":                 {`"bitbucket.org/project-slug":"acme/app"`, "bitbucket.org/acme/app", ""},
		"Bitbucket Data Center":           {`"backstage.io/source-location":"url:https://bitbucket.acme.example/projects/PRJ/repos/app/browse/src/pay?at=main"`, "bitbucket.acme.example/prj/app", "src/pay/**"},
		"Bitbucket Data Center, whole":    {`"backstage.io/source-location":"url:https://bitbucket.acme.example/projects/PRJ/repos/app/browse/"`, "bitbucket.acme.example/prj/app", ""},
		"its slug, with an address":       {`"bitbucket.com/project-slug":"PRJ/app","backstage.io/managed-by-location":"url:https://bitbucket.acme.example/projects/PRJ/repos/app/browse/catalog-info.yaml"`, "bitbucket.acme.example/prj/app", ""},
		"its slug, and nowhere":           {`"bitbucket.com/project-slug":"PRJ/app"`, "", ""},
		"a number":                        {`"gitlab.com/project-slug":"4711"`, "", ""},
		"GitHub before the others":        {`"gitlab.com/project-slug":"grp/app","github.com/project-slug":"acme/app"`, "acme/app", ""},
	} {
		e := decoded(t, `{"kind":"Component","metadata":{"name":"x","annotations":{`+tt.annotations+`}}}`)
		got, ok := repositoryPath(e.Metadata.Annotations, config)
		if ok != (tt.repository != "") || got.Repository != tt.repository || strings.Join(got.Paths, " ") != tt.folder {
			t.Errorf("%s: got %+v, %t; want %q and %q", name, got, ok, tt.repository, tt.folder)
		}
	}
	if _, ok := repositoryPath(map[string]string{annotationAzure: "shop/api"}, &Config{GitHubHost: "github.com"}); ok {
		t.Error("a repository of no organisation was named")
	}
}

func TestGroupNames(t *testing.T) {
	named := func(name, display string) *entity {
		return decoded(t, `{"kind":"Group","metadata":{"name":"`+name+`"},"spec":{"type":"team","profile":{"displayName":"`+display+`"}}}`)
	}
	groups := map[ref]*entity{}
	for _, g := range []*entity{named("a1b2c3", "Checkout team"), named("pay", ""), named("x1", "Platform"), named("x2", "platform")} {
		groups[g.ref()] = g
	}
	for by, want := range map[GroupNames]map[string]string{
		"":                {"a1b2c3": "Checkout team", "pay": "pay", "x1": "x1", "x2": "x2"}, // two that share a name are told apart
		GroupNamesDisplay: {"a1b2c3": "Checkout team", "pay": "pay", "x1": "x1", "x2": "x2"},
		GroupNamesName:    {"a1b2c3": "a1b2c3", "pay": "pay", "x1": "x1", "x2": "x2"},
	} {
		for own, name := range groupNames(groups, by) {
			if name != want[own.Name] {
				t.Errorf("by %q group %s is called %q, want %q", by, own, name, want[own.Name])
			}
		}
	}
}

func TestRefs(t *testing.T) {
	for in, want := range map[string]string{
		"Payments": "group:shop/payments", "default/payments": "group:default/payments", "user:jane": "user:shop/jane", "Group:Default/A": "group:default/a",
		"": "", " ": "", "group:": "", "a/b/c": "", ":x": "",
	} {
		got, ok := parseRef(in, kindGroup, "shop")
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("parseRef(%q) = %v, %v; want %q", in, got, ok, want)
		}
	}
}

func decoded(t *testing.T, text string) *entity {
	t.Helper()
	e, err := decodeEntity(json.RawMessage(text))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestOwners(t *testing.T) {
	groups := map[ref]*entity{}
	for _, text := range []string{
		group("Payments", "team", "Checkout"), group("checkout", "department", ""), group("BU", "Business-Unit", ""),
		`{"kind":"Group","metadata":{"name":"Ops","namespace":"Infra"},"spec":{"type":"team"},"relations":[{"type":"parentOf","targetRef":"group:infra/x"},{"type":"childOf","targetRef":"group:default/bu"}]}`,
	} {
		e := decoded(t, text)
		groups[e.ref()] = e
	}
	for name, tt := range map[string]struct{ owner, relations, team, unit string }{
		"relation before field":      {"nobody", `{"type":"ownedBy","targetRef":"group:infra/ops"}`, "infra/Ops", "BU"},
		"field alone":                {"infra/OPS", ``, "infra/Ops", "BU"},
		"no unit on the way":         {"payments", ``, "Payments", ""},
		"a unit itself":              {"bu", ``, "BU", "BU"},
		"nobody describes it":        {"group:Ghosts", `{"type":"ownedBy","targetRef":"group:default/ghosts"}`, "Ghosts", ""},
		"known by relation only":     {"", `{"type":"ownedBy","targetRef":"group:lab/ghosts"}`, "lab/ghosts", ""},
		"a user":                     {"user:jane", `{"type":"ownedBy","targetRef":"user:default/jane"}`, "", ""},
		"a user and a group":         {"payments", `{"type":"ownedBy","targetRef":"user:default/jane"},{"type":"ownedBy","targetRef":"group:default/payments"}`, "Payments", ""},
		"nobody":                     {"", ``, "", ""},
		"relations of another type":  {"", `{"type":"ownerOf","targetRef":"group:default/payments"}`, "", ""},
		"a relation without meaning": {"payments", `{"type":"ownedBy","targetRef":"group:"}`, "Payments", ""},
	} {
		e := decoded(t, `{"kind":"Component","metadata":{"name":"x","uid":"u-1"},"spec":{"type":"service","owner":"`+tt.owner+`"},"relations":[`+tt.relations+`]}`)
		c := &Collector{Base: &platform.Base{Words: translate.NewUnknownWords(slog.New(slog.DiscardHandler))}}
		s, err := c.service(e, &found{groups: groups, names: groupNames(groups, "")}, &hierarchy{groups: groups, names: groupNames(groups, ""), types: []string{"business-unit"}})
		if s.Identity != "u-1" {
			t.Errorf("%s: the component is identified by %q, want its uid", name, s.Identity)
		}
		if err != nil || s.Team != tt.team || s.BusinessUnit != tt.unit {
			t.Errorf("%s: team %q, unit %q, %v; want %q, %q", name, s.Team, s.BusinessUnit, err, tt.team, tt.unit)
		}
	}
}

func TestProductArea(t *testing.T) {
	s := decoded(t, system)
	byRelation := decoded(t, `{"kind":"System","metadata":{"name":"ledger"},"spec":{},"relations":[{"type":"partOf","targetRef":"domain:default/finance"}]}`)
	f := &found{systems: map[ref]*entity{s.ref(): s, byRelation.ref(): byRelation}}
	for _, tt := range []struct {
		spec, relations, system, domain string
	}{
		{`"system":"Checkout"`, ``, "Checkout", "Commerce"},
		{`"system":"shop/checkout"`, ``, "shop/checkout", ""},
		{``, `{"type":"partOf","targetRef":"component:default/x"},{"type":"partOf","targetRef":"system:default/ledger"}`, "ledger", "finance"},
		{`"domain":"commerce"`, ``, "", ""},
	} {
		e := decoded(t, `{"kind":"Component","metadata":{"name":"x"},"spec":{`+tt.spec+`},"relations":[`+tt.relations+`]}`)
		for area, want := range map[ProductArea]string{ProductAreaSystem: tt.system, ProductAreaDomain: tt.domain} {
			if got := (&Collector{config: Config{ProductArea: area}}).productArea(e, f); got != want {
				t.Errorf("%s of %s %s = %q, want %q", area, tt.spec, tt.relations, got, want)
			}
		}
	}
}

func TestFields(t *testing.T) {
	e := decoded(t, `{"kind":"Component","metadata":{"name":"x","annotations":{"a/tier":"Gold","empty":""},"labels":{"exposed":"TRUE","jewel":"maybe"},"tags":["tier-2","Public"]}}`)
	strangers := translate.NewUnknownWords(slog.New(slog.DiscardHandler))
	for _, tt := range []struct {
		from   string
		values map[string]string
		text   string
		answer record.Answer
	}{
		{"annotation:a/tier", nil, "Gold", record.AnswerUnknown},
		{"annotation:a/tier", map[string]string{"GOLD": "no"}, "no", record.AnswerNo},
		{"annotation:empty label:exposed", nil, "TRUE", record.AnswerYes},
		{"label:jewel", nil, "maybe", record.AnswerUnknown},
		{"tag:tier-*", nil, "2", record.AnswerUnknown},
		{"tag:tier-*", map[string]string{"2": "yes"}, "yes", record.AnswerYes},
		{"tag:public", nil, "Public", record.AnswerYes},
		{"tag:public", map[string]string{"public": "no"}, "no", record.AnswerNo},
		{"tag:tier- label:none", nil, "", record.AnswerUnknown},
	} {
		f, err := newField("test", Field{From: strings.Fields(tt.from), Values: tt.values}, false)
		if err != nil {
			t.Fatal(err)
		}
		if text, answer := f.text(e), f.answer(e, strangers); text != tt.text || answer != tt.answer {
			t.Errorf("%s with %v: text %q, answer %q; want %q, %q", tt.from, tt.values, text, answer, tt.text, tt.answer)
		}
	}
	if n := len(strangers.List()); n != 3 {
		t.Errorf("unknown words noticed: %v, want gold, maybe and 2", strangers.List())
	}
}

func FuzzEntity(f *testing.F) {
	f.Add([]byte(component("api", annotated)))
	f.Add([]byte(group("a", "team", "b")))
	f.Add([]byte(system))
	f.Add([]byte(`{"kind":"Component","metadata":{"name":"x","annotations":{"backstage.io/source-location":"url:https://h/a/b/-/tree"}},"spec":{"type":"service","owner":"::/"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := decodeEntity(data)
		if err != nil {
			return
		}
		c := &Collector{config: Config{GitHubHost: defaultHost}, Base: &platform.Base{Words: translate.NewUnknownWords(slog.New(slog.DiscardHandler))}}
		got, err := c.service(e, &found{groups: map[ref]*entity{e.ref(): e}}, &hierarchy{groups: map[ref]*entity{e.ref(): e}, types: []string{"x"}})
		if err != nil && !strings.Contains(err.Error(), "its own ancestor") {
			t.Errorf("%s: %v", data, err)
		}
		for _, text := range []string{got.Name, got.Team, got.BusinessUnit, got.ProductArea, got.Lifecycle} {
			if record.Text(text) != text {
				t.Errorf("%s became the text %q", data, text)
			}
		}
		for _, claim := range got.Repositories {
			if _, err := record.ParseRepository(string(claim.Repository)); err != nil {
				t.Errorf("%s: %v", data, err)
			}
			for _, p := range claim.Paths {
				if strings.HasPrefix(p, "/") || strings.Contains("/"+p+"/", "/../") {
					t.Errorf("%s leads out of the repository: %q", data, p)
				}
			}
		}
	})
}
