# docker build -t askwell . && docker run --init -p 127.0.0.1:8501:8501 -v askwell:/data askwell
FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
RUN useradd --create-home askwell && mkdir /data && chown askwell /data
USER askwell
ENV AL_HOME=/data
EXPOSE 8501
# Inside the container the server must listen on all interfaces; publish the port on loopback, as above.
CMD ["streamlit", "run", "app.py", "--server.address=0.0.0.0"]
