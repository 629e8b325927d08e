"""Frames to Plotly figures: no Streamlit, no store."""
