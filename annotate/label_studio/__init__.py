"""Label Studio's format, out and in. Only `sdk.py` imports label_studio_sdk, and only when a check is made."""
