// Package jwt stands for github.com/golang-jwt/jwt/v4 and is version 5 of it: the parts of version 4's interface that ghinstallation and go-jira use, by the
// code of version 5, which exporter-toolkit brings anyway. So the exporter has one implementation of JSON Web Tokens, the one that is maintained. The
// two libraries only sign. The go.mod of the exporter replaces version 4 with this package; remove it when both libraries have moved to version 5.
package jwt

import "github.com/golang-jwt/jwt/v5"

// The types that the libraries use.
type (
	// Claims are what a token states.
	Claims = jwt.Claims
	// MapClaims are Claims by name.
	MapClaims = jwt.MapClaims
	// RegisteredClaims are those of RFC 7519, section 4.1.
	RegisteredClaims = jwt.RegisteredClaims
	// NumericDate is an instant in a claim.
	NumericDate = jwt.NumericDate
	// SigningMethodRSA signs with an RSA key.
	SigningMethodRSA = jwt.SigningMethodRSA
)

// The functions and methods of signing that the libraries use.
var (
	NewWithClaims             = jwt.NewWithClaims
	NewNumericDate            = jwt.NewNumericDate
	ParseRSAPrivateKeyFromPEM = jwt.ParseRSAPrivateKeyFromPEM
	SigningMethodHS256        = jwt.SigningMethodHS256
	SigningMethodRS256        = jwt.SigningMethodRS256
)
