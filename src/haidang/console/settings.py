"""Django's settings, read from the environment (:mod:`haidang.console.environment`)."""

from __future__ import annotations

from pathlib import Path

from csp.constants import NONCE, SELF

from haidang.console.environment import Environment

_ENVIRONMENT = Environment()
_HERE = Path(__file__).parent

DATA = _ENVIRONMENT.folder()
"""Everything that the service keeps."""

METRICS_TOKEN = _ENVIRONMENT.text("HAIDANG_METRICS_TOKEN")
"""What a program on another machine must show to read /metrics."""

SECRET_KEY = _ENVIRONMENT.secret_key(DATA)
SECRET_KEY_FALLBACKS = _ENVIRONMENT.old_secret_keys(DATA)
DEBUG = _ENVIRONMENT.boolean("HAIDANG_DEBUG", default=False)
ALLOWED_HOSTS = _ENVIRONMENT.words("HAIDANG_HOSTS", "localhost,127.0.0.1,[::1]")
PUBLIC_URL = _ENVIRONMENT.text("HAIDANG_URL").rstrip("/")
"""Where people reach the console, e.g. ``https://console.example.gov.vn``; "" for this machine alone."""

HTTPS = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS and _ENVIRONMENT.boolean("HAIDANG_HTTPS_REDIRECT", default=True)
# Whoever looks after the service on its own machine asks without TLS.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https")
    if _ENVIRONMENT.boolean("HAIDANG_BEHIND_PROXY", default=False)
    else None
)
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "axes",
    "haidang.console.look",
    "haidang.console.units",
    "haidang.console.people",
    "haidang.console.sources",
    "haidang.console.rules",
    "haidang.console.alerts",
    "haidang.console.hunts",
    "haidang.console.audit",
    "haidang.console.api",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "haidang.console.people.activity.ActivityMiddleware",
    "haidang.console.people.access.AccessMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "haidang.console.urls"
ASGI_APPLICATION = "haidang.console.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_HERE / "look" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "haidang.console.look.context.page",
            ],
        },
    },
]

DATABASES = {"default": _ENVIRONMENT.database(DATA)}
# In each process: when sessions were last written down, and what allauth counts.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "haidang.console.people.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
# django-axes counts wrong passwords, in the database, for all processes and over restarts.
ACCOUNT_RATE_LIMITS = {"login_failed": None}
MFA_ADAPTER = "haidang.console.people.factors.SealingAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Hải Đăng"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
USERSESSIONS_TRACK_ACTIVITY = True
SOCIALACCOUNT_ADAPTER = "haidang.console.people.adapter.SocialAccountAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "provider_class": "haidang.console.people.identity.IdentityProvider",
        "APPS": [provider] if (provider := _ENVIRONMENT.identity_provider()) else [],
    }
}
# A link instead of a form: the policy of pages lets forms lead nowhere else. What makes others ask for a form
# (that a foreign page connects an account) is refused by the adapter.
SOCIALACCOUNT_LOGIN_ON_GET = True

AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25
"""Hours."""
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "haidang.console.people.lockout.locked_out"
AXES_USERNAME_CALLABLE = "haidang.console.people.lockout.user_name"
AXES_VERBOSE = False

LANGUAGE_CODE = "vi"
LANGUAGES = [("vi", "Tiếng Việt"), ("en", "English")]
LOCALE_PATHS = [_HERE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = _ENVIRONMENT.text("HAIDANG_TIME_ZONE", "Asia/Ho_Chi_Minh")

STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STATIC_ROOT.mkdir(mode=0o700, exist_ok=True)
# Files are served out of the package: nothing has to be collected before the first start.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": [SELF],
    },
}

EMAIL_HOST = _ENVIRONMENT.text("HAIDANG_SMTP_HOST")
EMAIL_PORT = _ENVIRONMENT.number("HAIDANG_SMTP_PORT", 25)
EMAIL_HOST_USER = _ENVIRONMENT.text("HAIDANG_SMTP_USER")
EMAIL_HOST_PASSWORD = _ENVIRONMENT.text("HAIDANG_SMTP_PASSWORD")
EMAIL_USE_TLS = _ENVIRONMENT.boolean("HAIDANG_SMTP_TLS", default=False)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = _ENVIRONMENT.text("HAIDANG_MAIL_FROM", "haidang@localhost")
# Without a server for it, mail is written to a folder, where it can be read.
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = DATA / "mail"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "haidang.console.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": _ENVIRONMENT.text("HAIDANG_LOG_LEVEL", "WARNING")},
}

SILENCED_SYSTEM_CHECKS: list[str] = []
