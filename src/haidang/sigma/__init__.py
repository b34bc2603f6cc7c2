"""YAML → rules in a compiled form: loading, translation, the cache, logsource maps.

The compiled form (:mod:`haidang.sigma.ir`) is plain data, with no trace of YAML or pySigma; only this
package knows those two. A rule that the form cannot express is refused by name, file, line and reason.
Rules are the user's: trusted to say what to look for, but not to be correct.
"""
