"""The archive: measured curves that the repository ships, from which figures are drawn without training.

``results/archive/`` holds a parquet file per kind of rows and ``manifest.json``, which says what they are.
"""
