package policy

import (
	"testing"

	"prodsec_exporter/internal/record"
)

// everything is a branch on which every check passes.
func everything() record.BranchProtection {
	yes := record.AnswerYes
	return record.BranchProtection{
		PullRequest: yes, Approvals: 2, CodeOwnerReview: yes, StaleDismissal: yes, StatusChecks: yes, ForcePushBlocked: yes,
		DeletionBlocked: yes, AdminsBound: yes, BypassLimited: yes, SignedCommits: yes,
	}
}

// TestBranchChecks: every check follows its own field and no other.
func TestBranchChecks(t *testing.T) {
	p := Default()
	fields := map[Check]func(*record.BranchProtection, record.Answer){
		CheckPullRequest:      func(b *record.BranchProtection, a record.Answer) { b.PullRequest = a },
		CheckCodeOwnerReview:  func(b *record.BranchProtection, a record.Answer) { b.CodeOwnerReview = a },
		CheckStaleDismissal:   func(b *record.BranchProtection, a record.Answer) { b.StaleDismissal = a },
		CheckStatusChecks:     func(b *record.BranchProtection, a record.Answer) { b.StatusChecks = a },
		CheckForcePushBlocked: func(b *record.BranchProtection, a record.Answer) { b.ForcePushBlocked = a },
		CheckDeletionBlocked:  func(b *record.BranchProtection, a record.Answer) { b.DeletionBlocked = a },
		CheckAdminsBound:      func(b *record.BranchProtection, a record.Answer) { b.AdminsBound = a },
		CheckBypassLimited:    func(b *record.BranchProtection, a record.Answer) { b.BypassLimited = a },
		CheckSignedCommits:    func(b *record.BranchProtection, a record.Answer) { b.SignedCommits = a },
		CheckApprovals: func(b *record.BranchProtection, a record.Answer) {
			b.Approvals = map[record.Answer]int{record.AnswerYes: 1, record.AnswerNo: 0, record.AnswerUnknown: record.ApprovalsUnknown}[a]
		},
	}
	for _, check := range BranchChecks() {
		for answer, want := range map[record.Answer]Status{
			record.AnswerYes: StatusPass, record.AnswerNo: StatusFail, record.AnswerUnknown: StatusUnknown, "garbage": StatusUnknown,
		} {
			if check == CheckApprovals && answer == "garbage" {
				continue
			}
			branch := everything()
			fields[check](&branch, answer)
			for _, other := range BranchChecks() {
				expected := StatusPass
				if other == check {
					expected = want
				}
				if got := p.Branch(&branch, other); got != expected {
					t.Errorf("%s answered %q: %s is %s, want %s", check, answer, other, got, expected)
				}
			}
		}
	}
	if got := p.Branch(&record.BranchProtection{}, "no_such_check"); got != StatusUnknown {
		t.Errorf("a check that does not exist: got %s, want unknown", got)
	}
}

// TestRequired: a check that fails decides, then one that is unknown, and checks that are not required do not matter.
func TestRequired(t *testing.T) {
	p := policyWith(t, func(c *Config) { c.Protection.Approvals = 2 })
	for _, c := range []struct {
		name   string
		change func(*record.BranchProtection)
		want   Status
	}{
		{"all pass", func(*record.BranchProtection) {}, StatusPass},
		{"too few approvals", func(b *record.BranchProtection) { b.Approvals = 1 }, StatusFail},
		{"one unknown", func(b *record.BranchProtection) { b.DeletionBlocked = record.AnswerUnknown }, StatusUnknown},
		{"one unknown, a later one fails", func(b *record.BranchProtection) {
			b.PullRequest, b.DeletionBlocked = record.AnswerUnknown, record.AnswerNo
		}, StatusFail},
		{"one fails, a later one is unknown", func(b *record.BranchProtection) {
			b.PullRequest, b.DeletionBlocked = record.AnswerNo, record.AnswerUnknown
		}, StatusFail},
		{"one that is not required fails", func(b *record.BranchProtection) { b.SignedCommits = record.AnswerNo }, StatusPass},
		{"nothing was read", func(b *record.BranchProtection) { *b = record.BranchProtection{Approvals: record.ApprovalsUnknown} }, StatusUnknown},
	} {
		branch := everything()
		c.change(&branch)
		if got := p.Branch(&branch, CheckRequired); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	p := Default()
	e := record.EnvironmentProtection{RequiredReviewers: record.AnswerYes, SelfReviewPrevented: record.AnswerNo, BranchPolicy: record.AnswerYes}
	for check, want := range map[Check]Status{
		CheckRequiredReviewers: StatusPass, CheckSelfReviewPrevented: StatusFail, CheckBranchPolicy: StatusPass,
		CheckAdminsBound: StatusUnknown, CheckRequired: StatusPass, CheckPullRequest: StatusUnknown,
	} {
		if got := p.Environment(&e, check); got != want {
			t.Errorf("%s: got %s, want %s", check, got, want)
		}
	}
	e.BranchPolicy = record.AnswerUnknown
	if got := p.Environment(&e, CheckRequired); got != StatusUnknown {
		t.Errorf("required with an unknown branch policy: got %s, want unknown", got)
	}
	for name, want := range map[string]bool{"production": true, "prod": true, "prod-eu": true, "Production": true, "PROD-EU": true, "staging": false, "nonprod": false, "reproduction": false} {
		if got := p.Production(name); got != want {
			t.Errorf("%s is production: got %v, want %v", name, got, want)
		}
	}
}

func TestWorst(t *testing.T) {
	for _, c := range []struct {
		statuses []Status
		want     Status
	}{
		{nil, StatusUnknown},
		{[]Status{StatusPass}, StatusPass},
		{[]Status{StatusPass, StatusUnknown, StatusPass}, StatusUnknown},
		{[]Status{StatusUnknown, StatusPass, StatusFail}, StatusFail},
	} {
		if got := Worst(c.statuses...); got != c.want {
			t.Errorf("%v: got %s, want %s", c.statuses, got, c.want)
		}
	}
}

func TestPrivileged(t *testing.T) {
	p := policyWith(t, func(c *Config) { c.Protection.Privileged.Repositories = []string{"acme/infra-*", "ghe.corp/*/secrets"} })
	for _, c := range []struct {
		repository record.Repository
		tiers      []string
		want       bool
	}{
		{record.Repository{Name: "acme/shop"}, nil, false},
		{record.Repository{Name: "acme/shop"}, []string{"tier3", "tier1"}, true},
		{record.Repository{Name: "acme/shop"}, []string{"tier2", ""}, false},
		{record.Repository{Name: "acme/shop", Topics: []string{"go", "privileged"}}, nil, true},
		{record.Repository{Name: "acme/infra-dns"}, nil, true},
		{record.Repository{Name: "acme/my-infra-dns"}, nil, false},
		{record.Repository{Name: "ghe.corp/any/secrets"}, nil, true},
	} {
		if got := p.Privileged(&c.repository, c.tiers...); got != c.want {
			t.Errorf("%s with tiers %v and topics %v: got %v, want %v", c.repository.Name, c.tiers, c.repository.Topics, got, c.want)
		}
	}
}

func TestStatuses(t *testing.T) {
	if got := Statuses(); len(got) != 4 || got[0] != "pass" || got[3] != "exempt" {
		t.Errorf("statuses: %v", got)
	}
}
