"""What everybody needs who writes the formulas of declarations as mathematics: in titles of pictures, and on pages for browsers."""

GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "zeta": "ζ",
    "eta": "η",
    "theta": "θ",
    "kappa": "κ",
    "lambda": "λ",
    "mu": "μ",
    "nu": "ν",
    "xi": "ξ",
    "pi": "π",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "phi": "φ",
    "chi": "χ",
    "psi": "ψ",
    "omega": "ω",
}
"""Names that are letters of the Greek alphabet."""
WHOLE = frozenset({"classes", "items", "rows", "labels", "views", "thresholds"})
"""Lists of all positions, which need not be said below a sum."""
