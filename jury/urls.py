from django.urls import path

from jury import views

urlpatterns = [
    path("projects/<slug:slug>/jury/", views.jury, name="jury"),
    path("projects/<slug:slug>/jury/run/", views.run, name="run_jury"),
    path("projects/<slug:slug>/jury/<int:run_id>/stop/", views.stop, name="stop_run"),
    path("projects/<slug:slug>/jury/<int:run_id>/resume/", views.resume, name="resume_run"),
]
